package crossbridge.profiling.selenium;

import crossbridge.profiling.Clock;
import crossbridge.profiling.Collector;
import crossbridge.profiling.Identity;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Map;
import java.util.stream.Collectors;
import org.openqa.selenium.Alert;
import org.openqa.selenium.By;
import org.openqa.selenium.WebDriver;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.support.events.WebDriverListener;

/**
 * Records the calls of a driver that {@link RecordingClientFactory} does not see, one that speaks no HTTP or whose
 * tests choose a client of their own: {@code new EventFiringDecorator<>(new CommandListener()).decorate(driver)}. What
 * is recorded already is left alone. Any thread; never throws into a test.
 */
public final class CommandListener implements WebDriverListener {
    // By the type that has the method. What is not here sends nothing, or leads to an object that does.
    private static final Map<Class<?>, Map<String, String>> COMMANDS = Map.of(
        WebDriver.class, commands("get get, getCurrentUrl getCurrentUrl, getTitle getTitle, close close, quit quit, "
            + "getPageSource getPageSource, findElement findElement, findElements findElements, "
            + "getScreenshotAs screenshot, "
            + "getWindowHandle w3cGetCurrentWindowHandle, getWindowHandles w3cGetWindowHandles, print printPage, "
            + "executeScript w3cExecuteScript, executeAsyncScript w3cExecuteScriptAsync, perform actions, "
            + "resetInputState clearActionState"),
        WebElement.class, commands("click clickElement, sendKeys sendKeysToElement, clear clearElement, "
            + "submit w3cExecuteScript, getText getElementText, getTagName getElementTagName, getRect getElementRect, "
            + "getLocation getElementRect, getSize getElementRect, getCssValue getElementValueOfCssProperty, "
            + "getAttribute w3cExecuteScript, getDomAttribute getElementAttribute, getDomProperty getElementProperty, "
            + "isDisplayed w3cExecuteScript, isSelected isElementSelected, isEnabled isElementEnabled, "
            + "findElement findChildElement, findElements findChildElements, getShadowRoot getShadowRoot, "
            + "getScreenshotAs elementScreenshot, getAriaRole getElementAriaRole, "
            + "getAccessibleName getElementAriaLabel"),
        WebDriver.Navigation.class, commands("to get, back goBack, forward goForward, refresh refresh"),
        WebDriver.Options.class, commands("addCookie addCookie, deleteCookieNamed deleteCookie, "
            + "deleteCookie deleteCookie, deleteAllCookies deleteAllCookies, getCookies getCookies, "
            + "getCookieNamed getCookie"),
        WebDriver.Window.class, commands("getSize getWindowRect, setSize setWindowRect, getPosition getWindowRect, "
            + "setPosition setWindowRect, maximize w3cMaximizeWindow, minimize minimizeWindow, "
            + "fullscreen fullscreenWindow"),
        WebDriver.TargetLocator.class, commands("frame switchToFrame, defaultContent switchToFrame, "
            + "parentFrame switchToParentFrame, window switchToWindow, newWindow newWindow, "
            + "activeElement w3cGetActiveElement, alert w3cGetAlertText"),
        WebDriver.Timeouts.class, commands("implicitlyWait setTimeouts, scriptTimeout setTimeouts, "
            + "pageLoadTimeout setTimeouts"),
        Alert.class, commands("accept w3cAcceptAlert, dismiss w3cDismissAlert, getText w3cGetAlertText, "
            + "sendKeys w3cSetAlertValue"));

    private final ThreadLocal<Deque<long[]>> begun = ThreadLocal.withInitial(ArrayDeque::new);

    @Override
    public void beforeAnyCall(Object target, Method method, Object[] args) {
        begun.get().push(new long[] {Clock.nowUs(), Command.count()});
    }

    @Override
    public void afterAnyCall(Object target, Method method, Object[] args, Object result) {
        Collector.guarded(() -> record(target, method, args, null));
    }

    @Override
    public void onError(Object target, Method method, Object[] args, InvocationTargetException error) {
        Collector.guarded(() -> record(target, method, args, error.getTargetException().getClass().getSimpleName()));
    }

    private void record(Object target, Method method, Object[] args, String error) {
        long[] start = begun.get().poll();
        String name = command(target, method.getName());
        if (start != null && name != null && start[1] == Command.count()) {
            new Command(name, aim(name, args), start[0], Clock.nowUs(), error, 0).add(target.getClass().getName());
        }
    }

    private static String command(Object target, String method) {
        for (Map.Entry<Class<?>, Map<String, String>> type : COMMANDS.entrySet()) {
            if (type.getKey().isInstance(target)) {
                return type.getValue().get(method);
            }
        }
        return null;
    }

    private static String aim(String name, Object[] args) {
        Object first = args == null || args.length == 0 ? null : args[0];
        if (first instanceof By.Remotable) {
            By.Remotable.Parameters how = ((By.Remotable) first).getRemoteParameters();
            return how.using() + "=" + how.value();
        }
        return name.equals("get") && first != null ? Identity.endpoint(first.toString()) : null;
    }

    private static Map<String, String> commands(String words) {
        return Arrays.stream(words.split(", "))
            .map(pair -> pair.split(" "))
            .collect(Collectors.toUnmodifiableMap(pair -> pair[0], pair -> pair[1]));
    }
}
