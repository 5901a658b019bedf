package kv4j.model.tokenizer;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/** Models and vocabularies that lie beside the project on some machines. */
final class SharedFiles {
  private SharedFiles() {}

  /** A file of the folder {@code shared} beside the project; skips the test where it is absent. */
  static Path file(String name) {
    Path file = path(name);
    Assumptions.assumeTrue(Files.exists(file), "there is no " + file);
    return file;
  }

  /** The same, whether or not there is one. */
  static Path path(String name) {
    return project().map(root -> root.resolveSibling("shared").resolve(name)).orElse(Path.of(name));
  }

  /** A file of the project's own {@code testdata}, whether or not there is one. */
  static Path testdata(String name) {
    return project().orElseThrow().resolve("testdata").resolve(name);
  }

  private static Optional<Path> project() {
    Path project = Path.of("").toAbsolutePath();
    while (project != null && !Files.isDirectory(project.resolve("testdata"))) {
      project = project.getParent();
    }
    return Optional.ofNullable(project);
  }
}
