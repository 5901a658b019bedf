package kv4j.apps.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kv4j.apps.report.Phase;
import kv4j.apps.report.Progress;
import kv4j.apps.report.RunInfo;
import kv4j.apps.workload.PromptSet;
import kv4j.apps.workload.Spread;
import kv4j.model.Model;
import kv4j.model.Tokenizer;

/**
 * Times processes that generate one token, from their start on, one after another. A first one is
 * not counted: it fills the operating system's cache of files.
 */
public final class ColdStart {
  private static final int PROMPT_TOKENS = 512;

  /** Of a context: for the token to generate, and as a text that is cut may take a few more. */
  private static final int ROOM = 16;

  private final ChildJvm jvm;
  private final List<String> arguments;
  private final Map<Phase, List<Double>> phases = new LinkedHashMap<>();
  private final List<Double> firstToken = new ArrayList<>();
  private final List<Double> peakBytes = new ArrayList<>();
  private int promptTokens;

  /**
   * @param jvm runs this program
   * @param arguments that make it generate one token after a prompt that it reads, without a file
   *     to write to
   */
  public ColdStart(ChildJvm jvm, List<String> arguments) {
    this.jvm = jvm;
    this.arguments = List.copyOf(arguments);
  }

  /** Number of steps that {@link #run} tells the progress of. */
  public static int steps(int processes) {
    return 1 + processes;
  }

  /**
   * Runs all.
   *
   * @param info of this run
   * @param processes how many are counted, at least 1
   * @throws IOException if one fails
   */
  public ColdReport run(Model model, RunInfo info, int processes, Progress progress)
      throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("kv4j-bench");
    Path prompt = folder.resolve("prompt.txt");
    Path json = folder.resolve("out.json");
    try {
      Files.writeString(prompt, prompt(model));
      for (int i = 0; i <= processes; i++) {
        JsonNode document = generate(prompt, json);
        if (i > 0) {
          add(document);
        }
        progress.step(i > 0 ? "processes" : "a process not counted");
      }
    } finally {
      Files.deleteIfExists(prompt);
      Files.deleteIfExists(json);
      Files.delete(folder);
    }
    Map<Phase, Spread> spreads = new LinkedHashMap<>();
    phases.forEach((phase, ms) -> spreads.put(phase, Spread.of(ms)));
    return new ColdReport(
        info, processes, promptTokens, spreads, Spread.of(firstToken), Spread.of(peakBytes));
  }

  /** The beginning of the shipped texts, of 512 tokens, or what the context has room for. */
  private static String prompt(Model model) {
    Tokenizer tokenizer = model.tokenizer();
    int[] tokens = tokenizer.encode(String.join("\n", PromptSet.shipped().system()));
    int most = Math.min(PROMPT_TOKENS, model.config().context() - ROOM);
    return tokenizer.decode(Arrays.copyOf(tokens, Math.min(most, tokens.length)));
  }

  private JsonNode generate(Path prompt, Path json) throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(arguments);
    all.addAll(List.of("--json", json.toString()));
    jvm.run("a process", List.of(), all, Redirect.from(prompt.toFile()));
    return new ObjectMapper().readTree(json.toFile());
  }

  private void add(JsonNode document) {
    promptTokens = document.required("promptTokens").size();
    JsonNode process = document.required("process");
    for (Phase phase : Phase.values()) {
      phases
          .computeIfAbsent(phase, p -> new ArrayList<>())
          .add(process.required("phasesMs").required(phase.key()).asDouble(Double.NaN));
    }
    firstToken.add(process.required("firstTokenMs").asDouble(Double.NaN));
    peakBytes.add(process.required("peakBytes").asDouble());
  }
}
