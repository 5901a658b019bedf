package kv4j.apps.lesson;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import kv4j.apps.html.Chart;
import kv4j.apps.html.Chart.Series;
import kv4j.apps.lesson.LessonPart.Curve;
import kv4j.apps.lesson.LessonPart.Table;
import kv4j.apps.lesson.LessonPart.Text;
import kv4j.apps.report.Format;
import kv4j.cache.DelegatingSequence;
import kv4j.cache.KvCache;
import kv4j.cache.KvRequest;
import kv4j.cache.KvSequence;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.cache.block.KvSpans;
import kv4j.cache.faulty.Fault;
import kv4j.cache.faulty.FaultyKvCache;
import kv4j.cache.radix.RadixKvCache;
import kv4j.inference.GenerationResult;

/** Break it: what a fault in cached keys or values does. */
final class FaultLesson implements Lesson {
  private static final String TEXT = "The museum opens at nine, and on Sundays it opens at noon. ";
  private static final int PROMPT = 64;
  private static final int NEW_TOKENS = 16;
  private static final int MOST_LAYERS = 8;
  private static final double[] AMOUNTS = {0.01, 0.1, 0.5, 1, 2};

  @Override
  public Outline outline() {
    return new Outline(
        "fault",
        "Break it",
        "A fault in cached keys or values is silent: nothing fails, only answers differ. It reaches all"
            + " layers above its own, and only comparing with an uncached run finds it.",
        "Does a comparison notice if the values of one token in one layer are a tenth off?",
        "./kv4j compare --quick --cache faulty:layer=3:token=7:amount=0.1");
  }

  @Override
  public void give(Classroom room, Audience audience) throws IOException {
    int[] prompt = room.prompt(TEXT, PROMPT);
    KvLayout layout = room.layout(KvDtype.F32);
    int middle = layout.layers() / 2;
    Fault one = Fault.USUAL.withLayer(middle);
    GenerationResult right = rightAnswer(room, prompt);
    audience.show(spreading(room, prompt, one.withLayer(Math.min(middle, 1))));
    audience.show(layers(room, prompt, right));
    List<Fault> parts =
        List.of(
            Fault.USUAL,
            one,
            one.withPart(Fault.Part.KEYS),
            one.withHead(0),
            one.withToken(prompt.length / 2),
            one.withHead(0).withToken(prompt.length / 2));
    audience.show(
        new LessonStep(
            "One layer, one head, one token",
            new Text("What is wrong with the cached tokens, and how far that moves the answer:"),
            table(parts, right, answer(room, prompt, parts))));
    List<Fault> amounts = Arrays.stream(AMOUNTS).mapToObj(one::withAmount).toList();
    List<GenerationResult> answers = answer(room, prompt, amounts);
    audience.show(
        new LessonStep(
            "By how much",
            new Text("The values of layer %d, moved by more and more:".formatted(middle)),
            table(amounts, right, answers),
            new Text(
                "The right answer begins with %s, and that with the last of these faults with %s."
                    .formatted(words(room, right), words(room, answers.get(answers.size() - 1))))));
  }

  /** How far the keys of the last token are off in each layer, with a fault in one. */
  private static LessonStep spreading(Classroom room, int[] prompt, Fault fault) {
    try (RadixKvCache cache = new RadixKvCache(room.config(KvDtype.F32))) {
      room.run(cache, prompt, 1);
      float[][] right = keys(room, cache, prompt);
      float[][] wrong = keys(room, new FaultyKvCache(cache, fault), prompt);
      List<Double> errors =
          IntStream.range(0, right.length)
              .mapToObj(layer -> 100 * distance(right[layer], wrong[layer]))
              .toList();
      return new LessonStep(
          "Layer by layer",
          new Text(
              "A prompt of %d tokens is cached, and asked for again. In layer %d the cached values are moved by half"
                      .formatted(prompt.length, fault.layer().orElseThrow())
                  + " their length. How far off are the keys of the one token that is computed?"),
          new Curve(
              new Chart(
                  "Keys of the last token",
                  Chart.Kind.BARS,
                  "layer",
                  "% of their length",
                  IntStream.range(0, right.length).mapToObj(Integer::toString).toList(),
                  List.of(new Series("off by", errors)))),
          new Text(
              "Up to the fault's own layer all is right: its keys were computed before anything read"
                  + " the wrong values. From the next layer on, nothing is."));
    }
  }

  /** Keys of the last token by layer, as attention hands them in. */
  private static float[][] keys(Classroom room, KvCache cache, int[] prompt) {
    int width = cache.layout().width();
    float[][] seen = new float[cache.layout().layers()][];
    try (KvSequence sequence =
        new DelegatingSequence(
            cache.open(KvRequest.of(prompt).withModel(room.engine().model().fingerprint()))) {
          @Override
          public KvSpans update(int layer, float[] keys, float[] values, int row, int tokens) {
            int at = (row + tokens - 1) * width;
            seen[layer] = Arrays.copyOfRange(keys, at, at + width);
            return super.update(layer, keys, values, row, tokens);
          }
        }) {
      room.engine().forward(sequence, prompt, sequence.begin(), prompt.length);
    }
    return seen;
  }

  private static double distance(float[] right, float[] wrong) {
    double length = norm(IntStream.range(0, right.length).mapToDouble(i -> right[i]));
    double apart =
        norm(IntStream.range(0, right.length).mapToDouble(i -> (double) wrong[i] - right[i]));
    return apart / length;
  }

  private static double norm(DoubleStream numbers) {
    return Math.sqrt(numbers.map(number -> number * number).sum());
  }

  private static LessonStep layers(Classroom room, int[] prompt, GenerationResult right) {
    int layers = room.layout(KvDtype.F32).layers();
    int shown = Math.min(layers, MOST_LAYERS);
    List<Integer> chosen =
        IntStream.range(0, shown)
            .map(i -> shown == 1 ? 0 : (layers - 1) * i / (shown - 1))
            .boxed()
            .toList();
    List<Fault> faults = chosen.stream().map(Fault.USUAL::withLayer).toList();
    List<GenerationResult> answers = answer(room, prompt, faults);
    return new LessonStep(
        "Which layer is wrong",
        new Curve(
            new Chart(
                "Largest difference of a logit of the first token",
                Chart.Kind.BARS,
                "layer with the fault",
                "logit",
                chosen.stream().map(layer -> Integer.toString(layer)).toList(),
                List.of(
                    new Series(
                        "difference",
                        answers.stream()
                            .map(each -> Classroom.difference(right, each))
                            .toList())))),
        table(faults, right, answers));
  }

  private static Table table(
      List<Fault> faults, GenerationResult right, List<GenerationResult> answers) {
    return new Table(
        List.of("what is wrong", "largest difference of a logit", "same tokens up to"),
        IntStream.range(0, faults.size())
            .mapToObj(
                i ->
                    List.of(
                        faults.get(i).toString(),
                        Format.scientific(Classroom.difference(right, answers.get(i))),
                        "%d of %d"
                            .formatted(
                                Classroom.sameTokens(right, answers.get(i)),
                                right.tokens().length)))
            .toList());
  }

  private static GenerationResult rightAnswer(Classroom room, int[] prompt) {
    try (KvCache cache = room.cache()) {
      return room.run(cache, prompt, newTokens(room, prompt));
    }
  }

  private static int newTokens(Classroom room, int[] prompt) {
    return Math.min(NEW_TOKENS, room.context() - prompt.length);
  }

  /** The answer to a cached prompt with each of some faults. */
  private static List<GenerationResult> answer(Classroom room, int[] prompt, List<Fault> faults) {
    List<GenerationResult> answers = new ArrayList<>();
    for (Fault fault : faults) {
      try (KvCache cache = room.cache()) {
        room.run(cache, prompt, 1);
        answers.add(room.run(new FaultyKvCache(cache, fault), prompt, newTokens(room, prompt)));
      }
    }
    return answers;
  }

  private static String words(Classroom room, GenerationResult result) {
    return String.join(" ", Arrays.stream(result.tokens()).limit(6).mapToObj(room::text).toList());
  }
}
