package crossbridge.profiling;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * By which build this JVM was started, and as which of its forks. All JVMs that one call of {@code mvn} starts, of all
 * its modules, belong to one run: its id comes of Maven's process. Gradle's and mvnd's daemons outlive their builds:
 * there each JVM is a run, unless {@code CROSSBRIDGE_RUN_ID} joins them. Never throws.
 */
final class Launch {
    private static final String MAVEN = "org.codehaus.plexus.classworlds.launcher.Launcher";
    private static final Pattern SUREFIRE_FORK = Pattern.compile("-jvmRun([0-9]+)(?: |$)");

    private Launch() {}

    /** Returns the id of the run that this JVM is part of. */
    static String runId() {
        try {
            ProcessHandle each = ProcessHandle.current();
            for (; each != null; each = each.parent().orElse(null)) {
                if (commandLine(each).contains(MAVEN)) {
                    String name = SegmentWriter.host() + " " + boot() + " " + each.pid() + " " + start(each);
                    return UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)).toString();
                }
            }
        } catch (RuntimeException error) {
            return Clock.newUuid(); // no right to see other processes
        }
        return Clock.newUuid();
    }

    /** Returns {@code fork-2}, or null where this JVM is no fork of a build's. */
    static String worker() {
        Matcher surefire = SUREFIRE_FORK.matcher(System.getProperty("sun.java.command", ""));
        String number = surefire.find() ? surefire.group(1) : System.getProperty("org.gradle.test.worker");
        return number == null ? null : "fork-" + number;
    }

    /** Returns when a process of this boot started, in a form that is the same whoever asks. */
    static String start(ProcessHandle process) {
        try {
            String stat = Files.readString(proc(process, "stat"), StandardCharsets.ISO_8859_1);
            return stat.substring(stat.lastIndexOf(')') + 2).split(" ")[19];
        } catch (IOException error) {
            return process.info().startInstant().toString();
        }
    }

    private static String commandLine(ProcessHandle process) {
        try {
            return Files.readString(proc(process, "cmdline"), StandardCharsets.ISO_8859_1);
        } catch (IOException error) {
            return process.info().commandLine().orElse("");
        }
    }

    private static String boot() {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
        } catch (IOException error) {
            return "";
        }
    }

    private static Path proc(ProcessHandle process, String file) {
        return Path.of("/proc", Long.toString(process.pid()), file);
    }
}
