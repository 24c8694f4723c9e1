package shop;

import java.net.ConnectException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ErrorsInSetupTest {
    @BeforeEach
    void connect() throws ConnectException {
        Warehouse.connect();
    }

    @Test
    void errorsInSetup() {}
}
