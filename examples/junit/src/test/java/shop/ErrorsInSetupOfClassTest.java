package shop;

import java.net.ConnectException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ErrorsInSetupOfClassTest {
    @BeforeAll
    static void connect() throws ConnectException {
        Warehouse.connect();
    }

    @Test
    void errorsInSetup() {}

    @Test
    void errorsInSetupToo() {}
}
