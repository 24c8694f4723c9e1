package shop;

import java.net.ConnectException;
import org.testng.annotations.BeforeMethod;
import org.testng.annotations.Test;

public class ErrorsInSetupTest {
    @BeforeMethod
    public void connect() throws ConnectException {
        Warehouse.connect();
    }

    @Test
    public void errorsInSetup() {}
}
