package shop;

import java.util.HashMap;
import java.util.Map;

/** What is tested here. */
public class Cart {
    private final Map<String, Integer> items = new HashMap<>();

    public void add(String item) {
        add(item, 1);
    }

    public void add(String item, int number) {
        items.merge(item, number, Integer::sum);
    }

    public int count() {
        return items.values().stream().mapToInt(Integer::intValue).sum();
    }

    public String paySlowly() throws InterruptedException {
        Thread.sleep(1100);
        return "paid for " + count();
    }
}
