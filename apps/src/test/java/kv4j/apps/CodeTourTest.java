package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What newcomers are told of packages, classes and methods is there, under that name. */
class CodeTourTest {
  private static final Path ROOT = Path.of("..");
  private static final List<String> MODULES = List.of("model", "cache", "inference", "apps");

  /** A class, perhaps with a member: {@code `Plan`}, {@code `Plan.run`}, {@code `Part.Piece`}. */
  private static final Pattern NAME = Pattern.compile("`([A-Z]\\w*[a-z]\\w*)(?:\\.(\\w+))?`");

  @Test
  void everyPackageSaysWhatItIsFor() throws IOException {
    for (Map.Entry<String, Path> each : packages().entrySet()) {
      Path info = each.getValue().resolve("package-info.java");
      assertTrue(Files.exists(info), each.getKey() + " has no package-info.java");
      String text = Files.readString(info);
      assertTrue(text.contains("package " + each.getKey() + ";"), info.toString());
      String said = text.substring(0, text.lastIndexOf("package ")).replaceAll("[\\s*/]+", " ");
      assertTrue(said.strip().split("\\. ").length >= 3, each.getKey() + ": " + said);
      assertTrue(said.contains("knows nothing of"), each.getKey() + ": " + said);
    }
  }

  @Test
  void theReadmeListsThePackagesThereAre() throws IOException {
    String section = section(Files.readString(ROOT.resolve("README.md")), "## What is where\n");
    Set<String> listed = new TreeSet<>();
    String root = "";
    for (String line : section.lines().toList()) {
      String first = line.strip().split("\\s+")[0];
      if (line.startsWith("  kv4j.")) {
        root = first;
        listed.add(root);
      } else if (line.startsWith("    .")) {
        listed.add(root + first);
      }
    }
    assertEquals(packages().keySet(), listed);
  }

  @Test
  void everyClassNamedToContributorsIsThere() throws IOException {
    Set<String> classes = new TreeSet<>(classes("main").keySet());
    classes.addAll(classes("test").keySet());
    List<MatchResult> names =
        NAME.matcher(Files.readString(ROOT.resolve("CONTRIBUTING.md"))).results().toList();
    assertTrue(names.size() > 100, "only " + names.size());
    for (MatchResult name : names) {
      assertTrue(classes.contains(name.group(1)), "there is no class " + name.group());
    }
  }

  @Test
  void fiveWalksNameClassesAndMethodsThatAreThere() throws Exception {
    Map<String, List<String>> classes = classes("main");
    String text =
        section(
            Files.readString(ROOT.resolve("CONTRIBUTING.md")), "## Five walks through the code\n");
    List<String> walks =
        List.of(text.split("(?m)^### ")).subList(1, text.split("(?m)^### ").length);
    assertEquals(5, walks.size());
    for (String walk : walks) {
      List<String> steps = List.of(walk.split("(?m)^(?=\\d+\\. )"));
      String title = steps.get(0).strip();
      assertTrue(steps.size() > 5, title);
      for (int i = 1; i < steps.size(); i++) {
        String step = steps.get(i);
        assertTrue(step.startsWith(i + ". "), title + ": " + step);
        List<MatchResult> names = NAME.matcher(step).results().toList();
        assertTrue(!names.isEmpty(), title + " names no class in " + step);
        for (MatchResult name : names) {
          List<String> types = new ArrayList<>(classes.getOrDefault(name.group(1), List.of()));
          types.removeIf(type -> type.startsWith("kv4j.model.jinja.")); // no walk comes by
          assertEquals(1, types.size(), title + ": " + name.group() + " is " + types);
          if (name.group(2) != null) {
            assertTrue(members(types.get(0)).contains(name.group(2)), title + ": " + name.group());
          }
        }
      }
    }
  }

  /** Methods and nested classes, inherited ones not counted. */
  private static Set<String> members(String name) throws ClassNotFoundException {
    Class<?> type = Class.forName(name, false, CodeTourTest.class.getClassLoader());
    return Stream.concat(
            Stream.of(type.getDeclaredMethods())
                .filter(method -> !method.isSynthetic())
                .map(method -> method.getName()),
            Stream.of(type.getDeclaredClasses()).map(Class::getSimpleName))
        .collect(Collectors.toSet());
  }

  /** A section of a page, without its heading. */
  private static String section(String page, String heading) {
    int begin = page.indexOf(heading);
    assertTrue(begin >= 0, heading);
    int end = page.indexOf("\n## ", begin + heading.length());
    return page.substring(begin + heading.length(), end);
  }

  /** Folders of all packages, by name. */
  private static Map<String, Path> packages() throws IOException {
    Map<String, Path> packages = new TreeMap<>();
    for (Path file : sources("main")) {
      packages.put(packageOf(file, "main"), file.getParent());
    }
    return packages;
  }

  /** Names of all classes by their simple names. */
  private static Map<String, List<String>> classes(String kind) throws IOException {
    return sources(kind).stream()
        .map(
            file ->
                packageOf(file, kind) + "." + file.getFileName().toString().replace(".java", ""))
        .collect(Collectors.groupingBy(name -> name.substring(name.lastIndexOf('.') + 1)));
  }

  private static String packageOf(Path file, String kind) {
    String path = file.getParent().toString().replace('\\', '/');
    return path.substring(path.indexOf("/src/" + kind + "/java/") + kind.length() + 11)
        .replace('/', '.');
  }

  private static List<Path> sources(String kind) throws IOException {
    List<Path> sources = new ArrayList<>();
    for (String module : MODULES) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(module).resolve("src/" + kind + "/java"))) {
        files.filter(file -> file.toString().endsWith(".java")).forEach(sources::add);
      }
    }
    return sources;
  }
}
