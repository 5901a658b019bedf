package kv4j.apps.lesson;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import kv4j.apps.lesson.LessonPart.HeatMap;
import kv4j.apps.lesson.LessonPart.Table;
import kv4j.apps.lesson.LessonPart.Text;
import kv4j.apps.report.Format;
import kv4j.cache.block.KvDtype;
import kv4j.model.GraphNames;
import kv4j.model.TransformerConfig;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What keys and values are: attention over six tokens, number by number. */
final class AttentionLesson implements Lesson {
  private static final int TOKENS = 6;
  private static final int SHOWN = 3;
  private static final int HEAD = 0;

  /**
   * Queries, keys, values and results of the first layer's first head, {@code [tokens][headDim]}.
   */
  private record Head(float[][] queries, float[][] keys, float[][] values, float[][] results) {
    /** Softmax of the products of a token's query with the keys up to its own. */
    double[] shares(int token) {
      double[] shares = IntStream.rangeClosed(0, token).mapToDouble(t -> score(token, t)).toArray();
      double most = Arrays.stream(shares).max().orElseThrow();
      double sum = Arrays.stream(shares).map(score -> Math.exp(score - most)).sum();
      return Arrays.stream(shares).map(score -> Math.exp(score - most) / sum).toArray();
    }

    double score(int token, int other) {
      float[] query = queries[token];
      double product = 0;
      for (int i = 0; i < query.length; i++) {
        product += (double) query[i] * keys[other][i];
      }
      return product / Math.sqrt(query.length);
    }

    /**
     * How far the last token's values, weighted by its shares, are from what the model computed.
     */
    double error() {
      double[] shares = shares(TOKENS - 1);
      double error = 0;
      for (int i = 0; i < values[0].length; i++) {
        double sum = 0;
        for (int token = 0; token < TOKENS; token++) {
          sum += shares[token] * values[token][i];
        }
        error = Math.max(error, Math.abs(sum - results[TOKENS - 1][i]));
      }
      return error;
    }
  }

  @Override
  public Outline outline() {
    return new Outline(
        "attention",
        "What keys and values are",
        "A token's key says what it can be found by, its value what it gives to those that find it."
            + " Neither changes when more tokens follow, which is why both can be kept.",
        "Which of this model's numbers does a cache keep for each token, and how many bytes are they?",
        "./kv4j inspect model.gguf");
  }

  @Override
  public void give(Classroom room, Audience audience) throws IOException {
    int[] prompt = room.prompt("The cat sat on the mat", TOKENS);
    if (prompt.length < TOKENS) {
      throw new IllegalArgumentException(
          "the lesson needs a context of %d tokens".formatted(2 * TOKENS));
    }
    List<String> tokens = Arrays.stream(prompt).mapToObj(room::text).toList();
    Head head = head(room, prompt);
    audience.show(
        new LessonStep(
            "Six tokens, six keys and six values",
            new Text(
                "In every layer, each token is projected to a query, a key and a value. These are the"
                    + " first numbers of each in the first head of layer 0, as this model computes"
                    + " them."),
            vectors(tokens, head)));
    audience.show(
        new LessonStep(
            "A query against all keys so far",
            new Text(
                "The last token multiplies its query with the key of each token up to itself. Softmax"
                    + " makes shares of these scores, which add up to 1."),
            scores(tokens, head)));
    audience.show(
        new LessonStep(
            "All six tokens attend",
            new Text(
                "Row by row, the shares of each token. Nothing above the diagonal: no token sees what"
                    + " comes later. So keys and values of the first tokens stay as they are when"
                    + " others follow."),
            shares(tokens, head)));
    TransformerConfig config = room.engine().model().config();
    long bytes = room.layout(KvDtype.F32).bytesPerToken();
    audience.show(
        new LessonStep(
            "What is left to keep",
            new Text(
                "The values weighted by these shares are what attention gives for the last token: worked"
                    + " out here, that differs from the model's own result by "
                    + Format.scientific(head.error())
                    + "."),
            new Text(
                "A next token needs these keys and values again, and nothing else of the six tokens. In"
                    + " 32-bit floats they are 2 x %d layers x %d KV heads x %d numbers x 4 bytes = %,d bytes a token."
                        .formatted(config.layers(), config.kvHeads(), config.headDim(), bytes))));
  }

  private static Head head(Classroom room, int[] prompt) {
    SameDiff graph = room.engine().model().graph();
    List<String> names = new ArrayList<>();
    for (String name :
        List.of(GraphNames.QUERIES, GraphNames.KEYS, GraphNames.VALUES, GraphNames.CORE)) {
      names.add(GraphNames.inLayer(0, name));
    }
    if (!names.stream().allMatch(graph::hasVariable)) {
      throw new IllegalArgumentException("the lesson needs a graph that kv4j has built");
    }
    Map<String, INDArray> placeholders =
        Map.of(
            GraphNames.TOKENS,
            Nd4j.createFromArray(prompt),
            GraphNames.POSITIONS,
            Nd4j.createFromArray(IntStream.range(0, prompt.length).toArray()));
    Map<String, INDArray> outputs = graph.output(placeholders, names);
    int headDim = room.engine().model().config().headDim();
    float[][][] rows =
        names.stream()
            .map(name -> firstHead(outputs.get(name), prompt.length, headDim))
            .toArray(float[][][]::new);
    return new Head(rows[0], rows[1], rows[2], rows[3]);
  }

  /** Of all tokens, whatever of heads there are beside it. */
  private static float[][] firstHead(INDArray array, int tokens, int headDim) {
    INDArray rows = array.dup('c').reshape(tokens, array.length() / tokens);
    return IntStream.range(0, tokens)
        .mapToObj(t -> Arrays.copyOfRange(rows.getRow(t).toFloatVector(), HEAD, headDim))
        .toArray(float[][]::new);
  }

  private static Table vectors(List<String> tokens, Head head) {
    List<List<String>> rows = new ArrayList<>();
    for (int t = 0; t < TOKENS; t++) {
      rows.add(
          List.of(
              tokens.get(t),
              beginning(head.queries[t]),
              beginning(head.keys[t]),
              beginning(head.values[t])));
    }
    return new Table(List.of("token", "query", "key", "value"), rows);
  }

  private static String beginning(float[] vector) {
    List<String> numbers =
        IntStream.range(0, Math.min(SHOWN, vector.length))
            .mapToObj(i -> "%.2f".formatted(vector[i]))
            .toList();
    return String.join(" ", numbers);
  }

  private static Table scores(List<String> tokens, Head head) {
    double[] shares = head.shares(TOKENS - 1);
    List<List<String>> rows = new ArrayList<>();
    for (int t = 0; t < TOKENS; t++) {
      rows.add(
          List.of(
              tokens.get(t),
              "%.3f".formatted(head.score(TOKENS - 1, t)),
              Format.percent(shares[t])));
    }
    return new Table(List.of("token", "score", "share"), rows);
  }

  private static HeatMap shares(List<String> tokens, Head head) {
    List<List<Double>> values = new ArrayList<>();
    for (int t = 0; t < TOKENS; t++) {
      double[] row = Arrays.copyOf(head.shares(t), TOKENS);
      values.add(Arrays.stream(row).boxed().toList());
    }
    return new HeatMap("shares of attention, layer 0, head 0", tokens, tokens, values);
  }
}
