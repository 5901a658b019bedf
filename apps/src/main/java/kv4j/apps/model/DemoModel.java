package kv4j.apps.model;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Optional;
import kv4j.inference.kernel.KernelWarmUp;
import kv4j.model.Model;
import kv4j.model.family.LoadOptions;
import kv4j.model.family.ModelLoader;
import kv4j.model.format.ModelFiles;
import kv4j.model.format.TensorSource;

/**
 * The trained model that the programs run unless told otherwise. Its file is a resource, so that it
 * is wherever the jar is.
 */
public final class DemoModel {
  /** What it is called. */
  public static final String NAME = "demo-32";

  private static final String RESOURCE = NAME + ".gguf";

  private DemoModel() {}

  static LoadedModel load() {
    Path name = Path.of(RESOURCE);
    TokenizerFiles files = new TokenizerFiles(Optional.empty());
    try (TensorSource source = ModelFiles.openGguf(name, content())) {
      Model model =
          ModelLoader.load(
              source,
              name,
              LoadOptions.ALL,
              files,
              info -> info.weightTypes().forEach(KernelWarmUp::startInBackground));
      return new LoadedModel(model, files.template(), files.vocabulary());
    }
  }

  private static byte[] content() {
    try (InputStream in = DemoModel.class.getResourceAsStream(RESOURCE)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
