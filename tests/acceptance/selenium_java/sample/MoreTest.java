package shop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.openqa.selenium.support.ui.ExpectedConditions.presenceOfElementLocated;

import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.By;
import org.openqa.selenium.Cookie;
import org.openqa.selenium.JavascriptExecutor;
import org.openqa.selenium.NoSuchElementException;
import org.openqa.selenium.StaleElementReferenceException;
import org.openqa.selenium.TimeoutException;
import org.openqa.selenium.WebDriver;
import org.openqa.selenium.WebDriverException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.interactions.Actions;
import org.openqa.selenium.remote.HttpCommandExecutor;
import org.openqa.selenium.remote.RemoteWebDriver;
import org.openqa.selenium.remote.http.ClientConfig;
import org.openqa.selenium.remote.http.HttpClient;
import org.openqa.selenium.support.events.EventFiringDecorator;
import org.openqa.selenium.support.events.WebDriverListener;
import org.openqa.selenium.support.ui.WebDriverWait;

/** More of what tests do with a driver; copied beside the tests of examples/selenium-java. */
class MoreTest {
    private static final By MISSING = By.id("missing");
    private static Pages pages;
    private static WebDriver driver;

    @BeforeAll
    static void start() throws IOException {
        pages = new Pages();
        driver = Browser.start();
    }

    @AfterAll
    static void stop() {
        driver.quit();
        pages.close();
    }

    @BeforeEach
    void open() {
        driver.get(pages.shop() + "?token=s3cret");
    }

    private static WebDriverWait waiting(int millis) {
        return new WebDriverWait(driver, Duration.ofMillis(millis), Duration.ofMillis(50));
    }

    private static WebElement present(By by) {
        return waiting(5000).until(presenceOfElementLocated(by));
    }

    /** What `new CommandListener()` is where CrossBridge's sources lie beside the tests'. */
    private static WebDriverListener listener() {
        try {
            Class<?> listener = Class.forName("crossbridge.profiling.selenium.CommandListener");
            return (WebDriverListener) listener.getConstructor().newInstance();
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
    }

    private static void show(Object fact) {
        System.out.println("SEEN " + fact);
    }

    @Test
    void secrets() {
        driver.manage().addCookie(new Cookie("sid", "s3cret"));
        assertEquals("s3cret", driver.manage().getCookieNamed("sid").getValue());
        Object told = ((JavascriptExecutor) driver).executeScript("return 's3cret' + arguments[0]", "s3cret");
        assertEquals("s3crets3cret", told);
        driver.get("data:text/html,s3cret");
    }

    @Test
    void elements() {
        List<WebElement> inputs = driver.findElements(By.tagName("input"));
        assertEquals("user", inputs.get(0).getAttribute("id"));
        assertEquals("password", inputs.get(1).getAttribute("id"));
        WebElement form = driver.findElement(By.id("login"));
        assertTrue(form.findElement(By.tagName("button")).isDisplayed());
        new Actions(driver).click(inputs.get(0)).sendKeys("s3cret").perform();
    }

    @Test
    void errors() {
        NoSuchElementException missing =
            assertThrows(NoSuchElementException.class, () -> driver.findElement(MISSING));
        Arrays.stream(missing.getStackTrace()).limit(15).forEach(MoreTest::show);
        WebElement button = driver.findElement(By.id("add"));
        driver.navigate().refresh();
        assertThrows(StaleElementReferenceException.class, button::click);
        show(assertThrows(WebDriverException.class, () -> driver.findElement(By.xpath("//["))).getClass());
    }

    @Test
    void waitThatGivesUp() {
        TimeoutException late =
            assertThrows(TimeoutException.class, () -> waiting(300).until(presenceOfElementLocated(MISSING)));
        show(late.getMessage().lines().findFirst());
    }

    @Test
    void waitsInAWait() {
        driver.findElement(By.id("add")).click();
        waiting(5000).until(page -> present(By.className("item")).isEnabled());
        driver.getTitle();
    }

    @Test
    void waitsOneAfterTheOther() {
        driver.findElement(By.id("add")).click();
        present(By.className("item"));
        present(By.className("item"));
    }

    @Test
    void thread() throws InterruptedException {
        Thread thread = new Thread(() -> driver.findElement(By.id("user")));
        thread.start();
        thread.join();
    }

    @Test
    void wrapped() {
        WebDriver firing = new EventFiringDecorator<>(listener()).decorate(driver);
        firing.findElement(By.id("user")).sendKeys("s3cret");
        assertThrows(NoSuchElementException.class, () -> firing.findElement(MISSING));
    }

    @Test
    void clientOfTheUser() throws IOException {
        HttpClient.Factory factory = ServiceLoader.load(HttpClient.Factory.class).stream()
            .filter(found -> found.type().getName().startsWith("org.openqa"))
            .findFirst().orElseThrow().get();
        ChromeDriverService service = new ChromeDriverService.Builder()
            .usingDriverExecutable(new File("/usr/bin/chromedriver")).build();
        service.start();
        ChromeOptions options = new ChromeOptions();
        options.addArguments("--headless=new", "--no-sandbox", "--disable-gpu");
        options.setBinary("/usr/bin/chromium");
        ClientConfig config = ClientConfig.defaultConfig().baseUrl(service.getUrl());
        WebDriver plain = new RemoteWebDriver(new HttpCommandExecutor(Map.of(), config, factory), options);
        try {
            WebDriver firing = new EventFiringDecorator<>(listener()).decorate(plain);
            firing.get(pages.shop() + "?token=s3cret");
            firing.findElement(By.id("user")).sendKeys("s3cret");
            assertThrows(NoSuchElementException.class, () -> firing.findElement(MISSING));
            firing.manage().window().maximize();
            firing.navigate().refresh();
        } finally {
            plain.quit();
            service.stop();
        }
    }

    @Test
    void noBrowser() throws IOException {
        ClientConfig nowhere = ClientConfig.defaultConfig().baseUrl(new java.net.URL("http://127.0.0.1:9"));
        show(assertThrows(
            WebDriverException.class,
            () -> new RemoteWebDriver(new HttpCommandExecutor(nowhere), new ChromeOptions())).getClass());
    }

    @Test
    void looks() {
        show(driver.getClass() + " " + driver.getTitle());
        show(Arrays.toString(((ChromeDriver) driver).getClass().getInterfaces()));
        driver.manage().window().setSize(new org.openqa.selenium.Dimension(800, 600));
        ((ChromeDriver) driver).executeCdpCommand("Browser.getVersion", Map.of());
        ((ChromeDriver) driver).deleteNetworkConditions();
        show(driver.switchTo().activeElement().getTagName());
    }
}
