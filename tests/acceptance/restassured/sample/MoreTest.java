package shop;

import static io.restassured.RestAssured.given;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.restassured.RestAssured;
import io.restassured.builder.RequestSpecBuilder;
import io.restassured.builder.ResponseBuilder;
import io.restassured.config.HttpClientConfig;
import io.restassured.config.RestAssuredConfig;
import io.restassured.filter.Filter;
import io.restassured.filter.FilterContext;
import io.restassured.filter.OrderedFilter;
import io.restassured.filter.log.LogDetail;
import io.restassured.filter.log.RequestLoggingFilter;
import io.restassured.response.Response;
import io.restassured.specification.FilterableRequestSpecification;
import io.restassured.specification.FilterableResponseSpecification;
import io.restassured.specification.RequestSpecification;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** More of what tests do with RestAssured; copied beside the test of examples/restassured. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class MoreTest {
    private static final Path RECEIVED = Path.of("received.txt");
    private static final ExecutorService POOL = Executors.newFixedThreadPool(2);
    private static HttpServer server;
    private static String url;

    @BeforeAll
    static void serve() throws Exception {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", MoreTest::answer);
        server.setExecutor(Executors.newCachedThreadPool());
        server.start();
        url = "http://127.0.0.1:" + server.getAddress().getPort();
        POOL.submit(() -> {}).get();
        given().get(url + "/items/0");
    }

    @AfterAll
    static void stop() {
        server.stop(0);
        POOL.shutdown();
    }

    /** /status/404 is answered by it, /old/1 by a redirect to /items/1, all else by 200. */
    private static void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        int status = path.startsWith("/status/") ? Integer.parseInt(path.substring(8)) : 200;
        if (path.startsWith("/old/")) {
            status = 302;
            exchange.getResponseHeaders().add("Location", "/items/" + path.substring(5));
        }
        synchronized (MoreTest.class) {
            String line = exchange.getRequestMethod() + " " + path + " " + status + "\n";
            Files.writeString(RECEIVED, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }
        exchange.getRequestBody().readAllBytes();
        exchange.sendResponseHeaders(status, -1);
        exchange.close();
    }

    private static synchronized void show(Object fact) {
        System.out.println("SEEN " + fact);
    }

    private static Filter told(String name) {
        return (request, expected, context) -> {
            show(name + " before");
            Response response = context.next(request, expected);
            show(name + " after " + response.statusCode());
            return response;
        };
    }

    private static Filter toldLast(String name) {
        Filter plain = told(name);
        return new OrderedFilter() {
            @Override
            public int getOrder() {
                return LOWEST_PRECEDENCE - 1;
            }

            @Override
            public Response filter(
                    FilterableRequestSpecification request,
                    FilterableResponseSpecification expected,
                    FilterContext context) {
                return plain.filter(request, expected, context);
            }
        };
    }

    @Test
    @Order(1)
    void methods() {
        given().get(url + "/items/1");
        given().body("s3cret").post(url + "/items/a");
        given().body("s3cret").put(url + "/items/1");
        given().body("s3cret").patch(url + "/status/409");
        given().delete(url + "/status/404");
        given().head(url + "/status/500");
        given().request("REPORT", url + "/items/1");
    }

    @Test
    @Order(2)
    void secrets() {
        given().auth().preemptive().basic("pat", "s3cret").header("X-Key", "s3cret").cookie("sid", "s3cret")
            .formParam("password", "s3cret").post(url + "/items/a?token=s3cret");
        given().queryParam("token", "s3cret").pathParam("id", 7).get(url + "/items/{id}");
    }

    @Test
    @Order(3)
    void redirects() {
        assertEquals(200, given().get(url + "/old/1").statusCode());
        assertEquals(302, given().redirects().follow(false).get(url + "/old/1").statusCode());
    }

    @Test
    @Order(4)
    void errors() throws IOException {
        String closed;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            closed = "http://127.0.0.1:" + socket.getLocalPort();
        }
        Throwable refused = assertThrows(Exception.class, () -> given().get(closed + "/items/1"));
        show(refused.getClass());
        Arrays.stream(refused.getStackTrace())
            .filter(frame -> frame.getClassName().startsWith("shop.")).forEach(MoreTest::show);
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            RestAssuredConfig hasty = RestAssuredConfig.config().httpClient(
                HttpClientConfig.httpClientConfig().setParam("http.socket.timeout", 200));
            String never = "http://127.0.0.1:" + silent.getLocalPort() + "/never";
            show(assertThrows(Exception.class, () -> given().config(hasty).get(never)).getClass());
        }
        show(assertThrows(
            AssertionError.class, () -> given().get(url + "/status/500").then().statusCode(200)).getMessage());
        show(assertThrows(
            AssertionError.class, () -> given().expect().statusCode(200).when().get(url + "/status/500")).getMessage());
    }

    @Test
    @Order(5)
    void filtersSideBySide() {
        given().filter(toldLast("last")).filter(told("first")).filter(told("second"))
            .filter(new RequestLoggingFilter(LogDetail.METHOD, new PrintStream(System.out)))
            .log().uri().get(url + "/items/1");
    }

    @Test
    @Order(6)
    void filterThatThrows() {
        Filter broken = (request, expected, context) -> {
            throw new IllegalStateException("the user's");
        };
        show(assertThrows(IllegalStateException.class, () -> given().filter(broken).get(url + "/items/1")));
        Filter afterwards = (request, expected, context) -> {
            context.next(request, expected);
            throw new IllegalStateException("the user's, afterwards");
        };
        show(assertThrows(IllegalStateException.class, () -> given().filter(afterwards).get(url + "/items/1")));
    }

    @Test
    @Order(7)
    void filterThatAnswers() {
        Filter stub = (request, expected, context) -> new ResponseBuilder().setStatusCode(418).build();
        assertEquals(418, given().filter(stub).get(url + "/items/1").statusCode());
    }

    @Test
    @Order(8)
    void specifications() {
        RestAssured.requestSpecification = new RequestSpecBuilder().addHeader("X-A", "a").build();
        RequestSpecification mine = new RequestSpecBuilder().setBaseUri(url).addFilter(told("spec")).build();
        given().spec(mine).spec(mine).get("/items/1");
        given(mine).get("/items/2");
    }

    @Test
    @Order(9)
    void reset() {
        given().get(url + "/items/1");
        RestAssured.reset();
        RestAssured.filters(told("global"));
    }

    @Test
    @Order(10)
    void replaced() {
        given().get(url + "/items/1");
        RestAssured.replaceFiltersWith(new ArrayList<>());
    }

    @Test
    @Order(11)
    void takesItsTime() {
        given().noFilters().get(url + "/items/1"); // nobody sees this one
        show("time " + (given().get(url + "/items/1").time() >= 0));
    }

    @Test
    @Order(12)
    void threads() throws Exception {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            threads.add(new Thread(() -> given().get(url + "/items/1")));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        Future<?> pooled = POOL.submit(() -> given().get(url + "/items/1"));
        pooled.get();
    }
}
