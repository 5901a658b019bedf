package kv4j.apps;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kv4j.apps.cli.Command;
import kv4j.apps.cli.Dispatcher;
import kv4j.apps.cli.Terminal;
import kv4j.apps.lesson.Classroom;
import kv4j.apps.lesson.Lesson;
import kv4j.apps.lesson.LessonStep;
import kv4j.apps.lesson.LessonText;
import kv4j.apps.lesson.Lessons;
import kv4j.apps.report.JsonFile;
import kv4j.inference.InferenceEngine;
import kv4j.model.Model;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** Gives a lesson at the terminal, measured while it runs: {@code kv4j lesson}. */
public final class LessonApp implements Command {
  private record Document(@JsonUnwrapped Lesson.Outline outline, List<LessonStep> steps) {}

  public static void main(String[] args) {
    Main.main(new LessonApp(), args);
  }

  @Override
  public String name() {
    return "lesson";
  }

  @Override
  public String description() {
    return "learn what a cache does from a model at work; without a name: list the lessons";
  }

  @Override
  public Optional<String> operand() {
    return Optional.of("NAME");
  }

  @Override
  public boolean operandIsOptional() {
    return true;
  }

  @Override
  public List<String> operandChoices() {
    return Lessons.names();
  }

  @Override
  public List<String> examples() {
    return List.of(
        "lesson", "lesson attention", "lesson fault --model model.gguf", "lesson bits --json -");
  }

  @Override
  public Options options() {
    Options options = new Options();
    TextProgram.addModelOptions(options);
    return options.addOption(ReportFiles.jsonOption());
  }

  @Override
  public void run(CommandLine line, Terminal terminal) throws Exception {
    if (line.getArgList().isEmpty()) {
      terminal.out().print(LessonText.list(Lessons.ALL));
      return;
    }
    String name = line.getArgList().get(0);
    Lesson lesson =
        Lessons.find(name)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "there is no lesson \"%s\"; there are %s"
                            .formatted(name, String.join(", ", Lessons.names()))));
    TextProgram program = new TextProgram(line);
    Optional<JsonFile> json = ReportFiles.json(line, terminal);
    Terminal people = JsonFile.forPeople(json, terminal);
    people.write(LessonText.beginning(lesson.outline()));
    program.warmUp();
    program.startNd4j();
    Model model = program.load(terminal).model();
    List<LessonStep> steps = new ArrayList<>();
    try (InferenceEngine engine = InferenceEngine.create(model, program.engineOptions())) {
      Dispatcher.explain(line, terminal, engine.describePlan());
      lesson.give(
          new Classroom(engine, model.tokenizer()),
          step -> {
            if (!steps.isEmpty()) {
              waitForKey(terminal);
            }
            steps.add(step);
            people.write(LessonText.step(step));
          });
    }
    people.write(LessonText.end(lesson.outline()));
    if (json.isPresent()) {
      json.get().write(new Document(lesson.outline(), steps));
    }
  }

  /** Between steps, where somebody is there to press it. */
  private static void waitForKey(Terminal terminal) throws IOException {
    if (terminal.inIsTerminal()) {
      terminal.err().println("-- press Enter to go on --");
      int key = terminal.in().read();
      while (key >= 0 && key != '\n') {
        key = terminal.in().read();
      }
    }
  }
}
