package shop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.openqa.selenium.support.ui.ExpectedConditions.visibilityOfElementLocated;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.By;
import org.openqa.selenium.JavascriptExecutor;
import org.openqa.selenium.WebDriver;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.interactions.Actions;
import org.openqa.selenium.support.ui.WebDriverWait;

class BrowserTest {
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

    @Test
    void browserCommands() {
        driver.findElement(By.id("user")).sendKeys("pat");
        driver.findElement(By.id("password")).sendKeys("s3cret");
        driver.findElement(By.cssSelector("#sign-in")).click();
        assertEquals("Hello pat", driver.findElement(By.id("greeting")).getText());
    }

    @Test
    void waits() {
        driver.findElement(By.id("add")).click();
        WebDriverWait wait = new WebDriverWait(driver, Duration.ofSeconds(5), Duration.ofMillis(100));
        WebElement item = wait.until(visibilityOfElementLocated(By.className("item")));
        assertEquals("Pen", item.getText());
    }

    @Test
    void actions() {
        WebElement button = driver.findElement(By.id("sign-in"));
        new Actions(driver).moveToElement(button).click().perform();
        String script = "return document.title + arguments[0]";
        assertEquals("Shops3cret", ((JavascriptExecutor) driver).executeScript(script, "s3cret"));
    }

    @Test
    void fails() {
        driver.findElement(By.id("checkout"));
    }
}
