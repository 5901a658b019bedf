package kv4j.apps.workload;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kv4j.apps.workload.PromptFormat.Part;
import kv4j.apps.workload.PromptFormat.Passage;
import kv4j.model.Tokenizer;

/**
 * A recorded run of several agents, from a file such as
 *
 * <pre>{@code
 * {"name": "...", "system": ["a paragraph", ...], "agents": {"planner": "its role", ...},
 *  "steps": [{"agent": "planner", "text": "...", "answer": "the right one"}, ...]}
 * }</pre>
 *
 * <p>Every step is a request. Its prompt is the shared system prompt, the agent's role, the texts
 * and right answers of this agent's steps so far, and its own text. So an agent's prompt begins
 * with its previous one. A step need not have an answer; its text and the next one are one message.
 *
 * @param name for people
 * @param system paragraphs of the prompt that all agents share, tool descriptions among them
 * @param agents role text by name
 * @param steps in the order of the requests
 */
public record AgenticRun(
    String name, List<String> system, Map<String, String> agents, List<Step> steps) {
  /**
   * One request.
   *
   * @param agent whose it is
   * @param text what the agent's context gains before it
   * @param answer the right one, if there is one; what the context gains after it
   */
  public record Step(String agent, String text, Optional<String> answer) {
    Step(String agent, String text) {
      this(agent, text, Optional.empty());
    }
  }

  public AgenticRun {
    WorkloadFiles.required("name", name);
    system = WorkloadFiles.required("system", system);
    if (agents == null || agents.isEmpty()) {
      throw new IllegalArgumentException("field agents is missing or empty");
    }
    agents.forEach((agent, role) -> WorkloadFiles.required("agents." + agent, role));
    agents = Map.copyOf(agents);
    if (steps == null || steps.isEmpty()) {
      throw new IllegalArgumentException("field steps is missing or empty");
    }
    for (int i = 0; i < steps.size(); i++) {
      String field = "steps[" + i + "]";
      if (steps.get(i) == null) {
        throw new IllegalArgumentException("field " + field + " is missing or empty");
      }
      WorkloadFiles.required(field + ".text", steps.get(i).text());
      String agent = WorkloadFiles.required(field + ".agent", steps.get(i).agent());
      if (!agents.containsKey(agent)) {
        throw new IllegalArgumentException(
            "field " + field + ".agent names " + agent + ", who is not among the agents");
      }
    }
    steps = List.copyOf(steps);
  }

  /** The one that comes with kv4j. */
  public static AgenticRun shipped() {
    return WorkloadFiles.shipped("workflow.json", AgenticRun.class);
  }

  /**
   * @throws IllegalArgumentException with one sentence that names the file and the field or line if
   *     it cannot be read or is malformed
   */
  public static AgenticRun read(Path file) {
    return WorkloadFiles.read(file, AgenticRun.class);
  }

  /** All steps as requests, with texts as they are. */
  public Workload workload(Tokenizer tokenizer, int newTokens) {
    PromptFormat plain = PromptFormat.plain(tokenizer);
    return workload(plain, systemTokens(plain), Optional.empty(), newTokens);
  }

  /** Tokens of the system prompt that all agents share. */
  public int systemTokens(PromptFormat format) {
    return format.system(system).tokens().length;
  }

  /**
   * All steps as requests, grouped by agent. The shared prefix is the system prompt, which an
   * agent's role ends; steps are what the user says. Plain texts are encoded one by one, so that an
   * agent's next prompt begins with the tokens of its last under any tokenizer. Where texts are
   * cut, or there is no template, no right answer is known.
   *
   * @param prefixTokens to cut the system prompt to
   * @param suffixTokens most tokens that a step's text adds to its agent's context
   * @throws IllegalArgumentException if the system prompt is shorter
   */
  public Workload workload(
      PromptFormat format, int prefixTokens, Optional<Integer> suffixTokens, int newTokens) {
    Passage whole = format.system(system);
    WorkloadFiles.requireTokens(name, "system prompt", whole.tokens().length, prefixTokens);
    Passage prefix = format.first(whole, prefixTokens);
    int most = suffixTokens.orElse(Integer.MAX_VALUE);
    Map<String, List<Part>> contexts = new HashMap<>();
    agents.forEach(
        (agent, role) -> {
          Passage first = format.passage("You are the " + agent + ". " + role + "\n");
          contexts.put(agent, new ArrayList<>(List.of(Part.system(prefix), Part.system(first))));
        });
    List<int[]> prompts = new ArrayList<>();
    boolean isWhole = prefix == whole && format.isChat();
    for (Step step : steps) {
      List<Part> context = contexts.get(step.agent());
      Passage added = format.passage(step.text() + "\n");
      Passage taken = format.first(added, most);
      isWhole &= taken == added;
      context.add(Part.user(taken));
      prompts.add(format.prompt(context));
      step.answer().ifPresent(said -> context.add(Part.assistant(format.passage(said + "\n"))));
    }
    int shared = format.sharedTokens(prefix, prompts);
    List<WorkloadRequest> requests = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      Step step = steps.get(i);
      Optional<String> answer = isWhole ? step.answer() : Optional.empty();
      requests.add(new WorkloadRequest(step.agent(), prompts.get(i), shared, answer));
    }
    return new Workload(name, requests, newTokens);
  }
}
