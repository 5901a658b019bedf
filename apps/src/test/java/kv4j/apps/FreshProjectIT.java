package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What somebody gets who makes a new Maven project and depends on a library of kv4j: the jars as
 * built, from a local repository of the test's own. All else comes, without a network, from the
 * local repository that the build has filled.
 */
class FreshProjectIT {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final boolean WINDOWS = File.separatorChar == '\\';
  private static final Pattern NATIVE = Pattern.compile(".*\\.(so|dll|dylib|jnilib)(\\.[0-9.]+)?");
  private static final Pattern BACKEND =
      Pattern.compile(".*/org/(nd4j/nd4j-(native|presets)|bytedeco/)[^/]*/.*");
  private static final String ND4J = "org.nd4j.linalg.";

  @TempDir private static Path folder;

  private static String version;
  private static Path maven;
  private static Path repository;

  @BeforeAll
  static void installsThePackagedLibraries() throws IOException {
    version = find("<version>(.*?)</version>");
    List<Path> found =
        Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
            .map(place -> Path.of(place, WINDOWS ? "mvn.cmd" : "mvn"))
            .filter(Files::isExecutable)
            .toList();
    assumeTrue(!found.isEmpty(), "there is no mvn on the PATH");
    maven = found.get(0);
    assumeTrue(Files.exists(jar("inference")), "the libraries are not packaged");
    repository = folder.resolve("repository");
    Path kv4j = repository.resolve(Path.of("io", "github", "kv4j"));
    for (String module : List.of("parent", "model", "cache", "inference")) {
      String name = "kv4j-" + module;
      Path place = Files.createDirectories(kv4j.resolve(Path.of(name, version)));
      Path pom = ROOT.resolve(module.equals("parent") ? "" : module).resolve("pom.xml");
      Files.copy(pom, place.resolve(name + "-" + version + ".pom"));
      if (!module.equals("parent")) {
        Files.copy(jar(module), place.resolve(jar(module).getFileName()));
      }
    }
  }

  @Test
  void theCacheBringsNoNativeLibraryAndNeedsNone() throws Exception {
    List<Path> jars = resolve("kv4j-cache");
    for (Path jar : jars) {
      String name = jar.getFileName().toString();
      String artifact = jar.getParent().getParent().getFileName().toString();
      String unclassified = artifact + "-" + jar.getParent().getFileName() + ".jar";
      assertTrue(!jar.toString().contains("bytedeco") || name.equals(unclassified), name);
      assertFalse(name.startsWith("kv4j-") && !artifact.equals("kv4j-cache"), name);
      try (ZipFile zip = new ZipFile(jar.toFile())) {
        List<String> libraries =
            zip.stream().map(ZipEntry::getName).filter(NATIVE.asMatchPredicate()).toList();
        assertEquals(List.of(), libraries, name);
      }
    }

    String attend = "static void attend(int layer, KvSpans spans) {}";
    assertEquals(
        "0 of 100 tokens cached\n99 of 100 tokens cached\n",
        run(jars, attend, snippet("KvSequence sequence")));
    String arrays = "static %sapi.ndarray.INDArray k = %<sfactory.Nd4j.rand(4, 8), v = k;";
    assertEquals(
        "90.0 % hits\n",
        run(withBackend(jars), arrays.formatted(ND4J), snippet("SimpleKvCache cache")));
  }

  @Test
  void theEngineNeedsABackendAndNothingElse() throws Exception {
    List<Path> jars = resolve("kv4j-inference");
    assertTrue(jars.stream().noneMatch(jar -> jar.toString().contains("nd4j-native")));
    String output = run(withBackend(jars), "", snippet("Generator generator"));
    assertTrue(output.contains("reason=COLD"), output);
  }

  @Test
  void eachJarSaysItsModuleAndItsVersion() throws Exception {
    for (String module : List.of("model", "cache", "inference")) {
      ModuleReference found = ModuleFinder.of(jar(module)).findAll().iterator().next();
      assertEquals("kv4j." + module, found.descriptor().name());
      try (JarFile packed = new JarFile(jar(module).toFile())) {
        String said = packed.getManifest().getMainAttributes().getValue("Implementation-Version");
        assertEquals(version, said, module);
      }
    }
  }

  /** The class path of a new project with one dependency, as Maven finds it. */
  private static List<Path> resolve(String artifact) throws Exception {
    String filled = Path.of(System.getProperty("localRepository")).toUri().toString();
    Path settings =
        write(
            "settings.xml",
            """
            <settings>
              <mirrors>
                <mirror><id>filled</id><mirrorOf>*</mirrorOf><url>%s</url></mirror>
              </mirrors>
            </settings>
            """
                .formatted(filled));
    write(
        "pom.xml",
        """
        <project xmlns="http://maven.apache.org/POM/4.0.0">
          <modelVersion>4.0.0</modelVersion>
          <groupId>org.example</groupId>
          <artifactId>fresh</artifactId>
          <version>1</version>
          <dependencyManagement>
            <dependencies>
              <dependency>
                <groupId>io.github.kv4j</groupId>
                <artifactId>kv4j-parent</artifactId>
                <version>%s</version>
                <type>pom</type>
                <scope>import</scope>
              </dependency>
            </dependencies>
          </dependencyManagement>
          <dependencies>
            <dependency>
              <groupId>io.github.kv4j</groupId>
              <artifactId>%s</artifactId>
            </dependency>
          </dependencies>
        </project>
        """
            .formatted(version, artifact));
    String plugin = find("maven-dependency-plugin</artifactId>\\s*<version>(.*?)</version>");
    Path classPath = folder.resolve("classpath.txt");
    execute(
        List.of(
            maven.toString(),
            "-B",
            "-q",
            "-s",
            settings.toString(),
            "-gs",
            settings.toString(),
            "-Dmaven.repo.local=" + repository,
            "-Dmdep.outputFile=" + classPath,
            "org.apache.maven.plugins:maven-dependency-plugin:" + plugin + ":build-classpath"));
    return paths(Files.readString(classPath).strip()).toList();
  }

  /** With the ND4J backend that these tests run on. */
  private static List<Path> withBackend(List<Path> jars) {
    Stream<Path> backend =
        paths(System.getProperty("java.class.path"))
            .filter(jar -> BACKEND.matcher(unix(jar)).matches());
    return Stream.concat(jars.stream(), backend).toList();
  }

  /** Compiles a snippet as a program and runs it; what it printed, with lines ended by LF. */
  private static String run(List<Path> jars, String member, String snippet) throws Exception {
    String imports =
        Stream.of("cache", "cache.block", "cache.radix", "cache.simple", "inference", "model")
            .filter(name -> hasPackage(jars, name))
            .map(name -> "import kv4j." + name + ".*;\n")
            .collect(Collectors.joining());
    Path source =
        write(
            "Snippet.java",
            """
            import java.time.Duration;
            import java.util.stream.IntStream;
            %s
            class Snippet {
              %s

              public static void main(String[] arguments) {
                %s
              }
            }
            """
                .formatted(imports, member, snippet));
    String classPath =
        Stream.concat(Stream.of(folder), jars.stream())
            .map(Path::toString)
            .collect(Collectors.joining(File.pathSeparator));
    int status =
        ToolProvider.getSystemJavaCompiler()
            .run(null, null, null, "-cp", classPath, "-d", folder.toString(), source.toString());
    assertEquals(0, status, "javac " + source);
    Path java = Path.of(System.getProperty("java.home"), "bin", WINDOWS ? "java.exe" : "java");
    List<String> command =
        List.of(
            java.toString(), "--add-modules", "jdk.incubator.vector", "-cp", classPath, "Snippet");
    return execute(command).replace("\r\n", "\n");
  }

  private static boolean hasPackage(List<Path> jars, String name) {
    return jars.stream()
        .map(jar -> jar.getFileName().toString())
        .anyMatch(jar -> jar.startsWith("kv4j-" + name.replaceFirst("\\..*", "") + "-"));
  }

  /** A process's standard output; one that fails, fails the test. */
  private static String execute(List<String> command) throws Exception {
    Path out = folder.resolve("out.txt");
    Path err = folder.resolve("err.txt");
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    int status = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start().waitFor();
    String output = Files.readString(out);
    assertEquals(0, status, () -> command + "\n" + output + read(err));
    return output;
  }

  private static Path write(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private static Path jar(String module) {
    return ROOT.resolve(Path.of(module, "target", "kv4j-" + module + "-" + version + ".jar"));
  }

  private static Stream<Path> paths(String classPath) {
    return Stream.of(classPath.split(File.pathSeparator)).map(Path::of);
  }

  private static String unix(Path path) {
    return path.toString().replace('\\', '/');
  }

  /** README's snippet of code that contains a text. */
  private static String snippet(String text) throws IOException {
    return Pattern.compile("(?s)\n```java\n(.*?)\n```\n")
        .matcher(Files.readString(ROOT.resolve("README.md")))
        .results()
        .map(match -> match.group(1))
        .filter(code -> code.contains(text))
        .findFirst()
        .orElseThrow();
  }

  /** What the parent POM says first. */
  private static String find(String pattern) throws IOException {
    Matcher matcher = Pattern.compile(pattern).matcher(Files.readString(ROOT.resolve("pom.xml")));
    assertTrue(matcher.find(), pattern);
    return matcher.group(1);
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
