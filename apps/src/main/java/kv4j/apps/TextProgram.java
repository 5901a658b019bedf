package kv4j.apps;

import kv4j.apps.cli.Plugins;
import kv4j.apps.cli.Terminal;
import kv4j.apps.model.LoadedModel;
import kv4j.apps.model.ModelChoice;
import kv4j.apps.store.OpenStore;
import kv4j.apps.store.StoreChoice;
import kv4j.apps.text.GenerationOptions;
import kv4j.apps.text.SessionCache;
import kv4j.apps.text.TextSession;
import kv4j.inference.EngineOptions;
import kv4j.inference.kernel.KernelWarmUp;
import kv4j.model.Model;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** What the programs that generate text have in common. */
final class TextProgram {
  private final CommandLine line;
  private final GenerationOptions generation;
  private final EngineOptions engine;
  private final Devices.Choice device;

  /**
   * Reads the options, before anything runs.
   *
   * @throws IllegalArgumentException with one sentence if one is wrong
   */
  TextProgram(CommandLine line) {
    this.line = line;
    generation = new GenerationOptions(line);
    ModelChoice.checkWithPlugins(line, StoreChoice.isForeign(line));
    device = WorkloadProgram.DEVICE.in(line);
    engine =
        new EngineOptions(
            WorkloadProgram.THREADS.in(line), EngineOptions.defaults().prefillChunk());
  }

  /** Adds the options that the constructor reads. */
  static void addOptions(Options options) {
    ModelChoice.addOptions(options);
    options.addOption(Plugins.OPTION.option());
    GenerationOptions.addTo(options);
    addEngineOptions(options);
  }

  /** Adds those that say which model runs and on what, but not how text is generated. */
  static void addModelOptions(Options options) {
    ModelChoice.addOptions(options);
    options.addOption(Plugins.OPTION.option());
    addEngineOptions(options);
  }

  private static void addEngineOptions(Options options) {
    options.addOption(WorkloadProgram.DEVICE.option()).addOption(WorkloadProgram.THREADS.option());
  }

  /** How to generate. */
  GenerationOptions generation() {
    return generation;
  }

  /** How the engine runs. */
  EngineOptions engineOptions() {
    return engine;
  }

  /** Lets the JVM compile what will run for long, while others do what has to come before. */
  void warmUp() {
    KernelWarmUp.startInBackground();
  }

  /** Starts ND4J on the device chosen. */
  void startNd4j() {
    Devices.select(device);
    Nd4jSetup.start();
  }

  /** Loads the model. */
  LoadedModel load(Terminal terminal) {
    return ModelChoice.load(line, ModelChoice.USUAL_SEED, terminal);
  }

  /** Begins to open what the cache is to have behind it, if anything. */
  OpenStore openStore(SessionCache cache) {
    return OpenStore.of(cache.store(), Plugins.loader(line));
  }

  /** The model at work. */
  TextSession session(Model model, SessionCache cache, OpenStore store) {
    return new TextSession(model, engine, cache, store, event -> {});
  }
}
