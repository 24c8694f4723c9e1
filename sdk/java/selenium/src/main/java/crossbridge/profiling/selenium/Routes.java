package crossbridge.profiling.selenium;

import crossbridge.profiling.Identity;
import java.util.ArrayList;
import java.util.List;

/** From a request of the WebDriver protocol to its command, in the words of Selenium's Python side. Any thread. */
final class Routes {
    // Method, path below the session, command; those of Chromium, Firefox and Safari at the end.
    private static final String[] ALL = {
        "POST newSession",
        "DELETE quit",
        "GET window w3cGetCurrentWindowHandle",
        "GET window/handles w3cGetWindowHandles",
        "POST url get",
        "POST forward goForward",
        "POST back goBack",
        "POST refresh refresh",
        "POST execute/sync w3cExecuteScript",
        "POST execute/async w3cExecuteScriptAsync",
        "GET url getCurrentUrl",
        "GET title getTitle",
        "GET source getPageSource",
        "GET screenshot screenshot",
        "GET element/*/screenshot elementScreenshot",
        "POST element findElement",
        "POST elements findElements",
        "GET element/active w3cGetActiveElement",
        "POST element/*/element findChildElement",
        "POST element/*/elements findChildElements",
        "POST element/*/click clickElement",
        "POST element/*/clear clearElement",
        "GET element/*/text getElementText",
        "POST element/*/value sendKeysToElement",
        "GET element/*/name getElementTagName",
        "GET element/*/selected isElementSelected",
        "GET element/*/enabled isElementEnabled",
        "GET element/*/rect getElementRect",
        "GET element/*/attribute/* getElementAttribute",
        "GET element/*/property/* getElementProperty",
        "GET element/*/computedrole getElementAriaRole",
        "GET element/*/computedlabel getElementAriaLabel",
        "GET element/*/shadow getShadowRoot",
        "POST shadow/*/element findElementFromShadowRoot",
        "POST shadow/*/elements findElementsFromShadowRoot",
        "GET cookie getCookies",
        "POST cookie addCookie",
        "GET cookie/* getCookie",
        "DELETE cookie deleteAllCookies",
        "DELETE cookie/* deleteCookie",
        "POST frame switchToFrame",
        "POST frame/parent switchToParentFrame",
        "POST window switchToWindow",
        "POST window/new newWindow",
        "DELETE window close",
        "GET element/*/css/* getElementValueOfCssProperty",
        "POST execute_async executeAsyncScript",
        "POST timeouts setTimeouts",
        "GET timeouts getTimeouts",
        "POST alert/dismiss w3cDismissAlert",
        "POST alert/accept w3cAcceptAlert",
        "POST alert/text w3cSetAlertValue",
        "GET alert/text w3cGetAlertText",
        "POST actions actions",
        "DELETE actions clearActionState",
        "POST window/rect setWindowRect",
        "GET window/rect getWindowRect",
        "POST window/maximize w3cMaximizeWindow",
        "POST orientation setScreenOrientation",
        "GET orientation getScreenOrientation",
        "GET network_connection getNetworkConnection",
        "POST network_connection setNetworkConnection",
        "POST se/log getLog",
        "GET se/log/types getAvailableLogTypes",
        "GET context getCurrentContextHandle",
        "GET contexts getContextHandles",
        "POST context switchToContext",
        "POST window/fullscreen fullscreenWindow",
        "POST window/minimize minimizeWindow",
        "POST print printPage",
        "POST webauthn/authenticator addVirtualAuthenticator",
        "DELETE webauthn/authenticator/* removeVirtualAuthenticator",
        "POST webauthn/authenticator/*/credential addCredential",
        "GET webauthn/authenticator/*/credentials getCredentials",
        "DELETE webauthn/authenticator/*/credentials/* removeCredential",
        "DELETE webauthn/authenticator/*/credentials removeAllCredentials",
        "POST webauthn/authenticator/*/uv setUserVerified",
        "POST se/file uploadFile",
        "GET se/files getDownloadableFiles",
        "POST se/files downloadFile",
        "DELETE se/files deleteDownloadableFiles",
        "POST se/event fireSessionEvent",
        "GET fedcm/gettitle getFedcmTitle",
        "GET fedcm/getdialogtype getFedcmDialogType",
        "GET fedcm/accountlist getFedcmAccountList",
        "POST fedcm/clickdialogbutton clickFedcmDialogButton",
        "POST fedcm/canceldialog cancelFedcmDialog",
        "POST fedcm/selectaccount selectFedcmAccount",
        "POST fedcm/setdelayenabled setFedcmDelay",
        "POST fedcm/resetcooldown resetFedcmCooldown",
        "POST chromium/launch_app launchApp",
        "POST permissions setPermissions",
        "POST chromium/network_conditions setNetworkConditions",
        "GET chromium/network_conditions getNetworkConditions",
        "DELETE chromium/network_conditions deleteNetworkConditions",
        "POST */cdp/execute executeCdpCommand",
        "GET */cast/get_sinks getSinks",
        "GET */cast/get_issue_message getIssueMessage",
        "POST */cast/set_sink_to_use setSinkToUse",
        "POST */cast/start_desktop_mirroring startDesktopMirroring",
        "POST */cast/start_tab_mirroring startTabMirroring",
        "POST */cast/stop_casting stopCasting",
        "GET moz/context GET_CONTEXT",
        "POST moz/context SET_CONTEXT",
        "POST moz/addon/install INSTALL_ADDON",
        "POST moz/addon/uninstall UNINSTALL_ADDON",
        "GET moz/screenshot/full FULL_PAGE_SCREENSHOT",
        "GET apple/permissions GET_PERMISSIONS",
        "POST apple/permissions SET_PERMISSIONS",
        "POST apple/attach_debugger ATTACH_DEBUGGER"
    };
    private static final List<Route> ROUTES = new ArrayList<>();

    static {
        for (String line : ALL) {
            String[] words = line.split(" ");
            String path = words.length == 3 ? words[1] : "";
            ROUTES.add(new Route(words[0], path.split("/"), words[words.length - 1]));
        }
    }

    private Routes() {}

    /** Returns the command; for one of a driver's own, that has no name here, the template of its path. */
    static String command(String method, String path) {
        String[] parts = path.split("/");
        for (Route route : ROUTES) {
            if (route.isFor(method, parts)) {
                return route.command;
            }
        }
        return Identity.endpoint("/" + path).substring(1);
    }

    private static final class Route {
        private final String method;
        private final String[] parts;
        private final String command;

        Route(String method, String[] parts, String command) {
            this.method = method;
            this.parts = parts;
            this.command = command;
        }

        boolean isFor(String method, String[] path) {
            if (path.length != parts.length || !method.equals(this.method)) {
                return false;
            }
            for (int i = 0; i < path.length; i++) {
                if (!parts[i].equals("*") && !parts[i].equals(path[i])) {
                    return false;
                }
            }
            return true;
        }
    }
}
