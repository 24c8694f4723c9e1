package shop;

import java.net.ConnectException;

public class Warehouse {
    public static void connect() throws ConnectException {
        throw new ConnectException("the warehouse does not answer");
    }
}
