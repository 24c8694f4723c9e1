package shop;

import java.io.File;
import org.openqa.selenium.WebDriver;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;

/** Debian's Chromium and its driver where they are installed; otherwise Selenium finds Chrome by itself. */
final class Browser {
    private static final File CHROMIUM = new File("/usr/bin/chromium");
    private static final File DRIVER = new File("/usr/bin/chromedriver");

    private Browser() {}

    static WebDriver start() {
        ChromeOptions options = new ChromeOptions();
        options.addArguments("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage");
        if (CHROMIUM.exists()) {
            options.setBinary(CHROMIUM);
        }
        ChromeDriverService.Builder service = new ChromeDriverService.Builder();
        if (DRIVER.exists()) {
            service.usingDriverExecutable(DRIVER);
        }
        return new ChromeDriver(service.build(), options);
    }
}
