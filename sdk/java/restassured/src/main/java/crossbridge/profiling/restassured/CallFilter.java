package crossbridge.profiling.restassured;

import crossbridge.profiling.Collector;
import io.restassured.filter.FilterContext;
import io.restassured.filter.OrderedFilter;
import io.restassured.response.Response;
import io.restassured.specification.FilterableRequestSpecification;
import io.restassured.specification.FilterableResponseSpecification;

/**
 * A row for every call that is answered or fails. Last of all filters: it sees the request as they have made it, only
 * what goes over the network, and no time of theirs. A redirect that RestAssured follows is part of its call. Nothing
 * is kept of queries, headers and bodies.
 */
final class CallFilter implements OrderedFilter {
    @Override
    public int getOrder() {
        return LOWEST_PRECEDENCE;
    }

    @Override
    public Response filter(
            FilterableRequestSpecification request, FilterableResponseSpecification expected, FilterContext context) {
        long startNs = System.nanoTime();
        Response response;
        try {
            response = context.next(request, expected);
        } catch (Throwable error) { // of Groovy's, which throws checked ones undeclared
            record(request, null, startNs, error.getClass().getSimpleName());
            throw error;
        }
        record(request, response, startNs, null);
        return response;
    }

    private static void record(
            FilterableRequestSpecification request, Response response, long startNs, String error) {
        long durationUs = (System.nanoTime() - startNs) / 1000;
        Collector.guarded(() -> {
            int status = response == null ? 0 : response.getStatusCode();
            Collector collector = Collector.opened();
            if (collector != null) {
                collector.httpCall(request.getMethod(), request.getURI(), status, durationUs, error);
            }
        });
    }
}
