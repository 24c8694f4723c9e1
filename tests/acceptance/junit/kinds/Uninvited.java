package kinds;

import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** An extension that a library brings as a service, and that the project has not asked for. */
public class Uninvited implements BeforeEachCallback {
    @Override
    public void beforeEach(ExtensionContext context) {
        throw new IllegalStateException("nobody asked for me");
    }
}
