package shop;

import static io.restassured.RestAssured.given;

import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ApiTest {
    private static Api api;

    @BeforeAll
    static void serve() throws IOException {
        api = new Api();
    }

    @AfterAll
    static void close() {
        api.close();
    }

    @Test
    void httpCalls() {
        given().queryParam("token", "s3cret").get(api.url() + "/users/42").then().statusCode(200);
        given().body("{\"item\": \"tea\"}").post(api.url() + "/orders").then().statusCode(201);
        given().get(api.url() + "/orders/ORD-1001").then().statusCode(404);
    }

    @Test
    void fails() {
        given().pathParam("id", 42).get(api.url() + "/users/{id}").then().statusCode(204);
    }
}
