package kv4j.apps;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import kv4j.apps.cli.Command;
import kv4j.apps.cli.Dispatcher;
import kv4j.apps.cli.Terminal;
import kv4j.apps.model.LoadedModel;
import kv4j.apps.serve.ServeOptions;
import kv4j.apps.serve.Server;
import kv4j.apps.serve.admin.Pins;
import kv4j.apps.serve.host.ServedModel;
import kv4j.apps.serve.openai.RequestException;
import kv4j.apps.serve.openai.StrictJson;
import kv4j.apps.store.OpenStore;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** Answers clients of OpenAI's protocol: {@code kv4j serve}. */
public final class ServeApp implements Command {
  private static final String JAVALIN_LOG = "org.slf4j.simpleLogger.log.io.javalin";

  public static void main(String[] args) {
    Main.main(new ServeApp(), args);
  }

  @Override
  public String name() {
    return "serve";
  }

  @Override
  public String description() {
    return "answer OpenAI clients over HTTP, and show what the cache does for them";
  }

  @Override
  public Options options() {
    Options options = new Options();
    ServeOptions.addTo(options);
    TextProgram.addModelOptions(options);
    return options;
  }

  @Override
  public void run(CommandLine line, Terminal terminal) throws Exception {
    TextProgram program = new TextProgram(line);
    ServeOptions options = ServeOptions.read(line);
    if (!line.hasOption(Dispatcher.VERBOSE)) {
      System.setProperty(JAVALIN_LOG, "off"); // says again, at length, what becomes a sentence here
    }
    program.warmUp();
    program.startNd4j();
    try (OpenStore store = program.openStore(options.cache())) {
      store.tellOfFailure(terminal);
      LoadedModel loaded = program.load(terminal);
      serve(line, program, options, loaded, store, terminal);
    }
  }

  private static void serve(
      CommandLine line,
      TextProgram program,
      ServeOptions options,
      LoadedModel loaded,
      OpenStore store,
      Terminal terminal)
      throws InterruptedException {
    try (ServedModel model =
        new ServedModel(
            loaded, program.engineOptions(), options.cache(), store, options.scheduling())) {
      store.tellIfNotExact(model.layout().dtype(), terminal);
      Dispatcher.explain(line, terminal, model.describePlan());
      model.startWarmUp();
      Server server = new Server(model, options);
      if (options.warm().isPresent()) {
        warm(server, options.warm().get(), terminal);
      }
      server.start();
      terminal.err().println(announcement(server, model, options));
      options
          .cache()
          .fault()
          .ifPresent(fault -> terminal.err().println("answers are wrong on purpose: " + fault));
      waitForEnd(server, model, terminal);
    }
  }

  @Override
  public List<String> examples() {
    return List.of(
        "serve --model model.gguf",
        "serve --model model.gguf --port 0 --max-running 4 --max-bytes 4GiB",
        "serve --model folder --host 0.0.0.0 --api-keys keys --admin-key secret");
  }

  private static String announcement(Server server, ServedModel model, ServeOptions options) {
    String key = options.keys().areNeeded() ? " -H 'Authorization: Bearer KEY'" : "";
    return """
        %s answers at %s; open it to see the cache at work, or try:
        curl %s/v1/chat/completions -H 'Content-Type: application/json'%s -d \
        '{"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 16}'"""
        .formatted(model.card().id(), server.url(), server.url(), key);
  }

  private static void warm(Server server, Path file, Terminal terminal)
      throws InterruptedException {
    try {
      JsonNode prefixes = StrictJson.read(Files.readAllBytes(file));
      if (!prefixes.isArray()) {
        throw new IllegalArgumentException("--warm %s must be a JSON array".formatted(file));
      }
      for (JsonNode prefix : prefixes) {
        Pins.Pin pin = server.pins().warm(prefix);
        terminal.err().println("pinned %s: %d tokens".formatted(pin.name(), pin.pinnedTokens()));
      }
    } catch (IOException e) {
      throw new IllegalArgumentException("--warm cannot read " + file, e);
    } catch (RequestException e) {
      throw new IllegalArgumentException("--warm %s: %s".formatted(file, e.getMessage()), e);
    }
  }

  /**
   * Serves until the process is told to end, and then ends it well: the status that a JVM has of
   * its own after a signal would say that something is wrong.
   */
  private static void waitForEnd(Server server, ServedModel model, Terminal terminal)
      throws InterruptedException {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  terminal.err().println("stopping");
                  server.close();
                  model.close();
                  model.store().close();
                  terminal.err().flush();
                  Runtime.getRuntime().halt(Dispatcher.OK);
                },
                "kv4j-stop"));
    new CountDownLatch(1).await();
  }
}
