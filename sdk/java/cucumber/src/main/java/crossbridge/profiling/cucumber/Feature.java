package crossbridge.profiling.cucumber;

import io.cucumber.plugin.event.Node;
import io.cucumber.plugin.event.TestCase;
import java.util.HashMap;
import java.util.Map;

/** The names of a feature's scenarios: {@code spec/identity.md}. They hold no value of an outline's row. */
final class Feature {
    final String path;
    final String name;
    private final Map<Integer, String> ids = new HashMap<>();
    private final Map<String, Integer> taken = new HashMap<>();

    Feature(String path, Node feature) {
        this.path = path;
        name = feature.getName().orElse("");
        add(feature, path);
    }

    String testId(TestCase scenario) {
        return ids.getOrDefault(scenario.getLocation().getLine(), path + "::" + scenario.getName());
    }

    private void add(Node node, String outer) {
        if (node instanceof Node.ScenarioOutline) {
            addRows((Node.ScenarioOutline) node, own(outer + "::" + nameOf(node)));
        } else if (node instanceof Node.Scenario) {
            ids.put(node.getLocation().getLine(), own(outer + "::" + nameOf(node)));
        } else if (node instanceof Node.Container) {
            String within = node instanceof Node.Rule ? outer + "::" + nameOf(node) : outer;
            for (Node each : ((Node.Container<?>) node).elements()) {
                add(each, within);
            }
        }
    }

    /** Rows are numbered within their table; a table after the first has its number before the row's. */
    private void addRows(Node.ScenarioOutline outline, String outer) {
        int table = 0;
        for (Node.Examples examples : outline.elements()) {
            table++;
            int row = 0;
            for (Node.Example example : examples.elements()) {
                row++;
                String number = table == 1 ? "" + row : table + "." + row;
                ids.put(example.getLocation().getLine(), outer + " [" + number + "]");
            }
        }
    }

    private String own(String id) {
        int number = taken.merge(id, 1, Integer::sum);
        return number == 1 ? id : id + " #" + number;
    }

    private static String nameOf(Node node) {
        return node.getName().orElse("");
    }
}
