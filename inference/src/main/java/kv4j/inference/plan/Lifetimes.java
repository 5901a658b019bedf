package kv4j.inference.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kv4j.inference.plan.run.Arena;
import kv4j.inference.plan.run.Register;
import kv4j.inference.plan.run.Step;

/** Works out from which step to which each value is needed, and assigns memory accordingly. */
final class Lifetimes {
  private Lifetimes() {}

  /**
   * Inserts the step that drops the rows nobody wants logits of.
   *
   * @param attend number of the last attention
   */
  static void selectRowsAfter(int attend, List<Step> steps) {
    Set<Register> written = new HashSet<>();
    for (Step step : steps.subList(0, attend + 1)) {
      written.addAll(step.writes());
    }
    Map<Register, Boolean> live = new LinkedHashMap<>();
    Set<Register> redefined = new HashSet<>();
    for (Step step : steps.subList(attend + 1, steps.size())) {
      for (Register register : step.reads()) {
        if (written.contains(register) && !redefined.contains(register)) {
          live.put(register, true);
        }
      }
      redefined.addAll(step.writes());
    }
    steps.add(attend + 1, new SelectRowsStep(new ArrayList<>(live.keySet())));
  }

  /** Whether only the last projection writes a value. */
  static boolean isLast(Register result, List<Step> steps) {
    return steps.subList(0, Math.max(0, steps.size() - 1)).stream()
        .noneMatch(step -> step.writes().contains(result));
  }

  /**
   * Linear scan: a register takes a free matrix of its width, or a new one.
   *
   * @param result read after the last step; may be null
   * @param apart whether the result has a matrix of its own
   */
  static void assignMatrices(List<Step> steps, Arena arena, Register result, boolean apart) {
    Map<Register, Integer> lastUse = new HashMap<>();
    for (int s = 0; s < steps.size(); s++) {
      for (Register register : steps.get(s).reads()) {
        lastUse.put(register, s);
      }
      for (Register register : steps.get(s).writes()) {
        lastUse.put(register, s);
      }
    }
    if (apart) {
      arena.holdLogits(result);
    } else if (result != null) {
      lastUse.put(result, steps.size());
    }
    Map<Integer, List<Integer>> free = new HashMap<>();
    Map<Register, Integer> home = new HashMap<>();
    for (int s = 0; s < steps.size(); s++) {
      for (Register register : steps.get(s).writes()) {
        if (!home.containsKey(register) && !(apart && register == result)) {
          List<Integer> candidates =
              free.computeIfAbsent(register.columns(), k -> new ArrayList<>());
          int matrix =
              candidates.isEmpty()
                  ? arena.addMatrix(register.columns())
                  : candidates.remove(candidates.size() - 1);
          home.put(register, matrix);
          arena.share(matrix, register);
        }
      }
      for (Map.Entry<Register, Integer> entry : home.entrySet()) {
        if (lastUse.get(entry.getKey()) == s) {
          free.computeIfAbsent(entry.getKey().columns(), k -> new ArrayList<>())
              .add(entry.getValue());
        }
      }
    }
  }
}
