package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The script {@code kv4j}, beside a jar that only says how it was run. */
@Timeout(120)
class LauncherTest {
  private static final String PROGRAM =
      """
      public class Probe {
        public static void main(String[] args) {
          System.out.println("ran " + String.join(",", args)
              + " in=" + System.getProperty("kv4j.terminal.in")
              + " out=" + System.getProperty("kv4j.terminal.out")
              + " err=" + System.getProperty("kv4j.terminal.err"));
        }
      }
      """;
  private static final Instant BUILT = Instant.parse("2026-01-01T00:00:00Z");

  @TempDir private Path folder;
  private Path root;
  private Path tools;
  private Path home;
  private Path archive;

  @BeforeEach
  void makeAProjectThatIsBuilt() throws IOException {
    Assumptions.assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "there is no /bin/sh");
    tools = Files.createDirectories(folder.resolve("tools"));
    java();
    project("a project");
  }

  private void project(String name) throws IOException {
    root = Files.createDirectories(folder.resolve(name)).toRealPath();
    Path launcher = Files.copy(Path.of("..", "kv4j"), root.resolve("kv4j"));
    Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
    write("pom.xml");
    write("testdata/x");
    for (String module : List.of("model", "cache", "inference", "apps")) {
      write(module + "/pom.xml");
      write(module + "/src/main/java/X.java");
    }
    Path built =
        root.resolve(
            "apps/target/maven-status/maven-compiler-plugin/compile/default-compile/inputFiles.lst");
    Files.createDirectories(built.getParent());
    Files.writeString(built, root.resolve("apps/src/main/java/X.java") + "\n");
    jar();
    archive = root.resolve("apps/target/kv4j-test.jsa");
    archive("");
  }

  /** A Java that notes how it is called. */
  private void java() throws IOException {
    home = folder.resolve("jdk");
    Path java = Files.createDirectories(home.resolve("bin")).resolve("java");
    Path real = Path.of(System.getProperty("java.home"), "bin", "java");
    String script = "#!/bin/sh\necho \"$@\" >> '%s'\nexec '%s' \"$@\"\n";
    Files.writeString(java, script.formatted(calls(), real));
    Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
    release(Runtime.version().feature() + ".0.1");
  }

  private void release(String version) throws IOException {
    Files.writeString(
        home.resolve("release"),
        "IMPLEMENTOR=\"x\"\nJAVA_RUNTIME_VERSION=\"test\"\nJAVA_VERSION=\"" + version + "\"\n");
  }

  private Path calls() {
    return folder.resolve("calls");
  }

  /** Puts something where the archive of the jar's classes goes. */
  private void archive(String content) throws IOException {
    Files.writeString(archive, content);
    Files.setLastModifiedTime(archive, FileTime.from(BUILT.plusSeconds(1)));
  }

  private void write(String name) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, "x");
    Files.setLastModifiedTime(file, FileTime.from(BUILT.minusSeconds(60)));
  }

  private void jar() throws IOException {
    Path source = folder.resolve("Probe.java");
    Files.writeString(source, PROGRAM);
    assertEquals(
        0,
        ToolProvider.getSystemJavaCompiler()
            .run(null, null, null, "-d", folder.toString(), source.toString()));
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, "Probe");
    Path jar = root.resolve("apps/target/kv4j.jar");
    try (OutputStream out = Files.newOutputStream(jar);
        JarOutputStream classes = new JarOutputStream(out, manifest)) {
      classes.putNextEntry(new JarEntry("Probe.class"));
      classes.write(Files.readAllBytes(folder.resolve("Probe.class")));
    }
    Files.setLastModifiedTime(jar, FileTime.from(BUILT));
  }

  /** A Maven that says it ran, and does nothing. */
  private void addMaven() throws IOException {
    Path maven = tools.resolve("mvn");
    Files.writeString(maven, "#!/bin/sh\ntouch '" + folder.resolve("built") + "'\n");
    Files.setPosixFilePermissions(maven, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private boolean wasBuilt() {
    return Files.exists(folder.resolve("built"));
  }

  private record Outcome(int status, String out, String err) {}

  private Outcome run(List<String> command) throws IOException, InterruptedException {
    for (String tool :
        List.of(
            "dirname",
            "sed",
            "head",
            "find",
            "grep",
            "mktemp",
            "rm",
            "touch",
            "cat",
            "readlink",
            "mv",
            "nice",
            "sh",
            "env")) {
      for (String place : List.of("/usr/bin", "/bin")) {
        Path program = Path.of(place, tool);
        if (Files.exists(program) && !Files.exists(tools.resolve(tool))) {
          Files.createSymbolicLink(tools.resolve(tool), program);
        }
      }
    }
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("PATH", tools.toString()); // without the machine's own Maven
    builder.environment().put("JAVA_HOME", home.toString());
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    Process process =
        builder
            .redirectInput(Files.writeString(folder.resolve("in"), "").toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    int status = process.waitFor();
    return new Outcome(status, Files.readString(out), Files.readString(err));
  }

  private Outcome run() throws IOException, InterruptedException {
    return run(List.of(root.resolve("kv4j").toString(), "chat", "a b"));
  }

  @Test
  void runsAJarThatIsNewerThanItsSources() throws Exception {
    addMaven();
    Outcome outcome = run();
    assertEquals("ran chat,a b in=false out=false err=false\n", outcome.out());
    assertEquals("", outcome.err());
    assertEquals(0, outcome.status());
    assertFalse(wasBuilt());
  }

  @Test
  void buildsWhereASourceIsNewer() throws Exception {
    addMaven();
    Files.setLastModifiedTime(
        root.resolve("model/src/main/java/X.java"), FileTime.from(BUILT.plusSeconds(60)));
    assertTrue(run().err().startsWith("kv4j: building"));
    assertTrue(wasBuilt());
    assertEquals("", run().err()); // the jar has the time of the build now
  }

  @Test
  void runsAnOldJarWhereThereIsNothingToBuildWith() throws Exception {
    Files.setLastModifiedTime(root.resolve("pom.xml"), FileTime.from(BUILT.plusSeconds(60)));
    Outcome outcome = run();
    assertEquals(0, outcome.status());
    assertTrue(outcome.out().startsWith("ran chat"), outcome.out());
    assertTrue(
        outcome.err().startsWith("kv4j: pom.xml is newer than the jar, but there is no mvn"));
    assertEquals(1, outcome.err().lines().count(), outcome.err());

    Files.delete(root.resolve("apps/target/kv4j.jar"));
    Outcome none = run();
    assertEquals(1, none.status());
    assertTrue(
        none.err().startsWith("kv4j: there is no mvn on the PATH to build with"), none.err());
  }

  /** As after {@code cp -r}, which gives all files new times in whatever order it copies them. */
  @Test
  void runsTheJarOfACopiedFolder() throws Exception {
    addMaven();
    Path original = root;
    root = Files.move(original, folder.resolve("a copy")).toRealPath();
    Files.setLastModifiedTime(root.resolve("pom.xml"), FileTime.from(BUILT.plusSeconds(60)));
    Outcome outcome = run();
    assertTrue(outcome.out().startsWith("ran chat"), outcome.out());
    assertTrue(outcome.err().startsWith("kv4j: this folder is a copy"), outcome.err());
    assertFalse(wasBuilt());
  }

  @Test
  void readsTheVersionOfJavaInsteadOfStartingIt() throws Exception {
    assertEquals(0, run().status());
    assertEquals(1, Files.readAllLines(calls()).size());

    release("1.8.0_292");
    Outcome old = run();
    assertEquals(1, old.status());
    assertTrue(old.err().endsWith(" is Java 8, but it takes 17 or newer\n"), old.err());

    Files.delete(home.resolve("release"));
    assertEquals(0, run().status());
    assertEquals("-version", Files.readAllLines(calls()).get(1));
  }

  /** In a folder without a space: JDK 17 takes no class from an archive of another. */
  @Test
  void makesAnArchiveWithTheJarAndRunsWithIt() throws Exception {
    project("project");
    addMaven();
    Files.setLastModifiedTime(root.resolve("pom.xml"), FileTime.from(BUILT.plusSeconds(60)));
    assertEquals(0, run().status());
    assertTrue(Files.size(archive) > 0);
    assertTrue(takesTheProgramFromTheArchive());
  }

  @Test
  void makesAnArchiveBesideTheFirstRunWhereThereIsNone() throws Exception {
    project("project");
    Files.delete(archive);
    runsAsAlways();
    while (!Files.exists(archive) || Files.size(archive) == 0) {
      Thread.onSpinWait();
    }
    assertTrue(takesTheProgramFromTheArchive());
    Files.setLastModifiedTime(
        root.resolve("apps/target/kv4j.jar"), FileTime.from(BUILT.minusSeconds(1)));
    assertFalse(takesTheProgramFromTheArchive()); // it was made of a jar of another time
    runsAsAlways();
  }

  @Test
  void anArchiveThatIsNoneIsPassedOverInSilence() throws Exception {
    archive("no archive at all");
    runsAsAlways();
  }

  /** Whoever may write all files may not replace a folder either. */
  @Test
  void whereNoArchiveCanBeWrittenItRunsWithout() throws Exception {
    Files.delete(archive);
    Files.createDirectories(archive.resolve("x"));
    runsAsAlways();
    assertEquals(1, Files.readAllLines(calls()).size());
  }

  private void runsAsAlways() throws IOException, InterruptedException {
    assertEquals(new Outcome(0, "ran chat,a b in=false out=false err=false\n", ""), run());
  }

  private boolean takesTheProgramFromTheArchive() throws IOException, InterruptedException {
    Path log = folder.resolve("classes");
    Files.deleteIfExists(log);
    Outcome outcome =
        run(
            List.of(
                tools.resolve("env").toString(),
                "JDK_JAVA_OPTIONS=-Xlog:class+load:file=" + log,
                root.resolve("kv4j").toString()));
    assertEquals(0, outcome.status(), outcome.err());
    return Files.readString(log).contains(" Probe source: shared objects file (top)");
  }

  /** A pseudo-terminal, which {@code script} makes. */
  @Test
  void saysWhichStreamsAreTerminals() throws Exception {
    Assumptions.assumeTrue(Files.exists(Path.of("/usr/bin/script")), "there is no script");
    String launcher = "'" + root.resolve("kv4j") + "'";
    List<String> answers = new ArrayList<>();
    for (String redirection : List.of("", " < /dev/null", " 2> /dev/null", " | cat")) {
      Outcome outcome =
          run(List.of("/usr/bin/script", "-qec", launcher + redirection, "/dev/null"));
      answers.add(outcome.out().strip().replaceFirst("^ran +", ""));
    }
    assertEquals(
        List.of(
            "in=true out=true err=true",
            "in=false out=true err=true",
            "in=true out=true err=false",
            "in=true out=false err=true"),
        answers);
  }
}
