package shop;

import java.net.ConnectException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ErrorsInTeardownTest {
    @AfterEach
    void leaveAMess() throws ConnectException {
        Warehouse.connect();
    }

    @Test
    void errorsInTeardown() {}
}
