package crossbridge.profiling.cucumber;

import io.cucumber.plugin.event.HookTestStep;
import io.cucumber.plugin.event.PickleStepTestStep;
import io.cucumber.plugin.event.TestStep;

/** What steps are called: by the pattern they were matched by, as their texts hold values. */
final class Steps {
    private Steps() {}

    static String name(TestStep step) {
        if (step instanceof PickleStepTestStep) {
            PickleStepTestStep defined = (PickleStepTestStep) step;
            String pattern = defined.getPattern();
            String text = pattern == null ? withoutQuoted(defined.getStep().getText()) : pattern;
            return (defined.getStep().getKeyword().strip() + " " + text).strip();
        }
        String place = step.getCodeLocation() == null ? "" : step.getCodeLocation().replaceFirst("\\(.*", "");
        return step instanceof HookTestStep ? hook((HookTestStep) step) + " " + place : place;
    }

    /** A hook's word as its annotation writes it: {@code BeforeStep}. */
    private static String hook(HookTestStep step) {
        StringBuilder word = new StringBuilder();
        for (String part : step.getHookType().name().split("_")) {
            word.append(part.charAt(0)).append(part.substring(1).toLowerCase());
        }
        return word.toString();
    }

    private static String withoutQuoted(String text) {
        return text.replaceAll("\"[^\"]*\"|'[^']*'", "\"…\"");
    }
}
