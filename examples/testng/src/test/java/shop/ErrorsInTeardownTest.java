package shop;

import java.net.ConnectException;
import org.testng.annotations.AfterMethod;
import org.testng.annotations.Test;

public class ErrorsInTeardownTest {
    @AfterMethod
    public void leaveAMess() throws ConnectException {
        Warehouse.connect();
    }

    @Test
    public void errorsInTeardown() {}
}
