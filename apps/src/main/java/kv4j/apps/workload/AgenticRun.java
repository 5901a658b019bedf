package kv4j.apps.workload;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kv4j.apps.workload.PromptFormat.Passage;
import kv4j.model.Tokenizer;

/**
 * A recorded run of several agents, from a file such as
 *
 * <pre>{@code
 * {"name": "...", "system": ["a paragraph", ...], "agents": {"planner": "its role", ...},
 *  "steps": [{"agent": "planner", "text": "..."}, ...]}
 * }</pre>
 *
 * <p>Every step is a request. Its prompt is the shared system prompt, the agent's role and the text
 * of all steps of this agent so far: tool calls, their results and what other agents said. So an
 * agent's prompt begins with its previous one.
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
   */
  public record Step(String agent, String text) {}

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
    return workload(PromptFormat.plain(tokenizer), Optional.empty(), Optional.empty(), newTokens);
  }

  /**
   * All steps as requests, grouped by agent. The shared prefix is the system prompt; an agent's
   * role and steps are what the user says. Plain texts are encoded one by one, so that an agent's
   * next prompt begins with the tokens of its last under any tokenizer.
   *
   * @param prefixTokens to cut the system prompt to
   * @param suffixTokens most tokens that a step adds to its agent's context
   * @throws IllegalArgumentException if the system prompt is shorter
   */
  public Workload workload(
      PromptFormat format,
      Optional<Integer> prefixTokens,
      Optional<Integer> suffixTokens,
      int newTokens) {
    Passage whole = format.system(system);
    prefixTokens.ifPresent(
        tokens ->
            WorkloadFiles.requireTokens(name, "system prompt", whole.tokens().length, tokens));
    Passage prefix = format.first(whole, prefixTokens.orElse(Integer.MAX_VALUE));
    Map<String, List<Passage>> contexts = new HashMap<>();
    agents.forEach(
        (agent, role) -> {
          Passage first = format.passage("You are the " + agent + ". " + role + "\n");
          contexts.put(agent, new ArrayList<>(List.of(first)));
        });
    List<int[]> prompts = new ArrayList<>();
    for (Step step : steps) {
      List<Passage> context = contexts.get(step.agent());
      Passage added = format.passage(step.text() + "\n");
      context.add(format.first(added, suffixTokens.orElse(Integer.MAX_VALUE)));
      prompts.add(format.prompt(prefix, context));
    }
    int shared = format.sharedTokens(prefix, prompts);
    List<WorkloadRequest> requests = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      requests.add(new WorkloadRequest(steps.get(i).agent(), prompts.get(i), shared));
    }
    return new Workload(name, requests, newTokens);
  }
}
