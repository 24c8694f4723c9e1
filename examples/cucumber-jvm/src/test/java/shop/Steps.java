package shop;

import static org.testng.Assert.assertEquals;
import static org.testng.Assert.assertTrue;

import io.cucumber.java.After;
import io.cucumber.java.Before;
import io.cucumber.java.PendingException;
import io.cucumber.java.en.Given;
import io.cucumber.java.en.Then;
import io.cucumber.java.en.When;
import java.net.ConnectException;
import org.testng.SkipException;

/** Steps of the shop, one object a scenario. */
public class Steps {
    private static int visits;
    private final Cart cart = new Cart();

    @Before("@warehouse")
    public void connect() throws ConnectException {
        Warehouse.connect();
    }

    @Before("@closed_on_sundays")
    public void close() {
        throw new SkipException("the till is closed on Sundays");
    }

    @After("@sweep")
    public void sweep() throws ConnectException {
        Warehouse.connect();
    }

    @Given("an open shop")
    public void openShop() {}

    @When("I add {string}")
    public void add(String item) {
        cart.add(item);
    }

    @Then("the cart holds {int} item(s)")
    public void cartHolds(int count) {
        assertEquals(cart.count(), count);
    }

    @Then("the recommendations load")
    public void recommendations() {
        assertTrue(++visits > 1, "the recommendations came too late");
    }

    @When("I wait for the spring sale")
    public void springSale() {
        throw new PendingException();
    }

    @When("I pay slowly")
    public void pay() throws InterruptedException {
        cart.paySlowly();
    }

    @When("I wait to be killed")
    public void waitToBeKilled() throws InterruptedException {
        Thread.sleep(600_000);
    }
}
