package kv4j.apps.bench;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs this program in JVMs of their own, each with the options that this one was started with. */
public final class ChildJvm {
  private final Class<?> mainClass;

  /**
   * @param mainClass of the program
   */
  public ChildJvm(Class<?> mainClass) {
    this.mainClass = mainClass;
  }

  /**
   * Runs the program and waits for its end.
   *
   * @param what it is, to name it if it fails
   * @param options of the JVM besides; of two for one property, the last counts
   * @param in what it reads
   * @throws IOException if it fails, with what it printed
   */
  void run(String what, List<String> options, List<String> arguments, Redirect in)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command(options, arguments))
            .redirectInput(in)
            .redirectErrorStream(true)
            .start();
    try {
      String output = new String(process.getInputStream().readAllBytes(), Charset.defaultCharset());
      int status = process.waitFor();
      if (status != 0) {
        throw new IOException(
            "%s failed with status %d: %s".formatted(what, status, output.strip()));
      }
    } finally {
      process.destroy();
    }
  }

  private List<String> command(List<String> options, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(java());
    for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      boolean watches = option.startsWith("-agent") || option.startsWith("-javaagent");
      if (!watches) {
        command.add(option);
      }
    }
    for (String stream : List.of("in", "out", "err")) {
      command.add("-Dkv4j.terminal." + stream + "=false");
    }
    command.addAll(options);
    String classPath = System.getProperty("java.class.path");
    if (isOwnJar(classPath)) {
      command.addAll(List.of("-jar", classPath));
    } else {
      command.addAll(List.of("--add-modules", "jdk.incubator.vector"));
      command.addAll(List.of("-cp", classPath, mainClass.getName()));
    }
    command.addAll(arguments);
    return command;
  }

  private static String java() {
    return ProcessHandle.current()
        .info()
        .command()
        .orElseGet(() -> Path.of(System.getProperty("java.home"), "bin", "java").toString());
  }

  /** Whether this JVM was started by {@code -jar} on the program's own jar. */
  private boolean isOwnJar(String classPath) {
    if (classPath.contains(File.pathSeparator)) {
      return false;
    }
    try {
      Path own = Path.of(mainClass.getProtectionDomain().getCodeSource().getLocation().toURI());
      return classPath.endsWith(".jar") && Path.of(classPath).toAbsolutePath().equals(own);
    } catch (URISyntaxException e) {
      return false;
    }
  }
}
