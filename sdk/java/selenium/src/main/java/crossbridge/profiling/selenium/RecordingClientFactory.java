package crossbridge.profiling.selenium;

import crossbridge.profiling.Clock;
import crossbridge.profiling.Collector;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ServiceLoader;
import org.openqa.selenium.remote.http.ClientConfig;
import org.openqa.selenium.remote.http.HttpClient;
import org.openqa.selenium.remote.http.HttpClientName;
import org.openqa.selenium.remote.http.HttpRequest;
import org.openqa.selenium.remote.http.HttpResponse;

/**
 * Selenium's own choice of how to speak HTTP, or the user's, with every command recorded on its way. Selenium finds it
 * by the property {@code webdriver.http.factory} and as a service; where it cannot, nothing is touched. Any thread.
 */
@HttpClientName(RecordingClientFactory.NAME)
public final class RecordingClientFactory implements HttpClient.Factory {
    static final String NAME = "crossbridge";
    private static final String PROPERTY = "webdriver.http.factory";
    private static volatile HttpClient.Factory chosen;

    /** Takes the place of what would have been chosen, unless Selenium's class loader does not know this class. */
    static synchronized void install() {
        ServiceLoader<HttpClient.Factory> known =
            ServiceLoader.load(HttpClient.Factory.class, HttpClient.class.getClassLoader());
        if (chosen != null || known.stream().noneMatch(found -> found.type() == RecordingClientFactory.class)) {
            return;
        }
        if (!NAME.equals(System.getProperty(PROPERTY))) {
            chosen = HttpClient.Factory.createDefault();
            System.setProperty(PROPERTY, NAME);
        }
    }

    @Override
    public HttpClient createClient(ClientConfig config) {
        HttpClient client = chosen().createClient(config);
        Class<?>[] types = {HttpClient.class};
        // No class of our own: what an HttpClient has to have differs from one Selenium to the next.
        return (HttpClient) Proxy.newProxyInstance(
            HttpClient.class.getClassLoader(), types, (proxy, method, arguments) -> call(client, method, arguments));
    }

    @Override
    public void cleanupIdleClients() {
        chosen().cleanupIdleClients();
    }

    private static HttpClient.Factory chosen() {
        HttpClient.Factory factory = chosen;
        return factory == null ? HttpClient.Factory.create("jdk-http-client") : factory; // our name by the user's hand
    }

    private static Object call(HttpClient client, Method method, Object[] arguments) throws Throwable {
        if (method.getName().equals("execute")) {
            return execute(client, (HttpRequest) arguments[0]);
        }
        try {
            return method.invoke(client, arguments);
        } catch (InvocationTargetException error) {
            throw error.getCause();
        }
    }

    private static HttpResponse execute(HttpClient client, HttpRequest request) {
        long startUs = Clock.nowUs();
        HttpResponse response;
        try {
            response = client.execute(request);
        } catch (Throwable error) {
            record(request, null, startUs, error.getClass().getSimpleName());
            throw error;
        }
        record(request, response, startUs, null);
        return response;
    }

    private static void record(HttpRequest request, HttpResponse response, long startUs, String error) {
        long endUs = Clock.nowUs();
        Collector.guarded(() -> Exchange.record(request, response, startUs, endUs, error));
    }
}
