package shop;

import java.net.ConnectException;
import org.testng.annotations.BeforeClass;
import org.testng.annotations.Test;

public class ErrorsInSetupOfClassTest {
    @BeforeClass
    public void connect() throws ConnectException {
        Warehouse.connect();
    }

    @Test
    public void isSkippedThen() {}
}
