package kv4j.apps.cli;

import java.util.Optional;

/** Which kv4j this is, and on what it runs. */
public final class Version {
  private Version() {}

  /** In one line; the number stands in the jar only. */
  public static String text() {
    String number =
        Optional.ofNullable(Version.class.getPackage().getImplementationVersion())
            .orElse("(not from a jar)");
    return "kv4j %s, Java %s, %s %s"
        .formatted(
            number,
            Runtime.version(),
            System.getProperty("os.name"),
            System.getProperty("os.arch"));
  }
}
