package shop;

import static io.restassured.RestAssured.given;

import java.io.IOException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Tests that run at once, beside those of MoreTest. */
class ParallelTest {
    private static final CyclicBarrier BARRIER = new CyclicBarrier(3);
    private static Api api;

    @BeforeAll
    static void serve() throws IOException {
        api = new Api();
    }

    @AfterAll
    static void close() {
        api.close();
    }

    private static void call(String path) throws Exception {
        for (int i = 0; i < 3; i++) {
            BARRIER.await(30, TimeUnit.SECONDS);
            given().get(api.url() + path);
        }
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    void users() throws Exception {
        call("/users/42");
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    void orders() throws Exception {
        call("/orders");
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    void others() throws Exception {
        call("/others");
    }
}
