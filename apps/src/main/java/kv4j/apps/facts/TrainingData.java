package kv4j.apps.facts;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import kv4j.model.Tokenizer;

/**
 * Writes what the demo model is trained with: its tokenizer, and files of {@link TrainingRows} of
 * each length, whole as soon as they have their names. {@code testdata/demo-model/train.sh} runs it
 * with {@code FOLDER SEED MILLIONS}, the last being tokens for each length.
 */
public final class TrainingData {
  /** From short pages with few facts to long ones with many. */
  private static final List<TrainingRows> STAGES =
      List.of(
          new TrainingRows(256, 6, 3),
          new TrainingRows(512, 12, 8),
          new TrainingRows(1024, 26, 20),
          new TrainingRows(2048, 44, 60));

  private static final int FILE_TOKENS = 1 << 21;
  private static final int TEST_TOKENS = 1 << 18;

  private final Path folder;
  private final int seed;
  private final Tokenizer tokenizer;

  private TrainingData(Path folder, int seed, Tokenizer tokenizer) {
    this.folder = folder;
    this.seed = seed;
    this.tokenizer = tokenizer;
  }

  public static void main(String[] args) throws Exception {
    Path folder = Files.createDirectories(Path.of(args[0]));
    int seed = Integer.parseInt(args[1]);
    int files = (int) (Long.parseLong(args[2]) * 1_000_000 / FILE_TOKENS) + 1;
    DemoTokenizer learnt = DemoTokenizer.learn(seed);
    learnt.write(folder);
    new TrainingData(folder, seed, learnt.tokenizer()).write(files);
  }

  private void write(int files) throws Exception {
    ExecutorService threads =
        Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
    List<Future<?>> tasks = new ArrayList<>();
    for (TrainingRows stage : STAGES) {
      tasks.add(threads.submit(() -> write(stage, "test", Split.HELD_OUT, TEST_TOKENS)));
    }
    for (int file = 0; file < files; file++) {
      String number = "%04d".formatted(file);
      for (TrainingRows stage : STAGES) {
        tasks.add(threads.submit(() -> write(stage, number, Split.TRAINING, FILE_TOKENS)));
      }
    }
    threads.shutdown();
    for (Future<?> task : tasks) {
      task.get();
    }
  }

  private Path write(TrainingRows stage, String part, Split split, int tokens) throws IOException {
    String name = stage.length() + "-" + part;
    Draw draw = new Draw((long) name.hashCode() << Integer.SIZE | seed);
    ByteBuffer bytes = ByteBuffer.allocate(tokens * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    ShortBuffer rows = bytes.asShortBuffer();
    while (rows.hasRemaining()) {
      stage.write(split, tokenizer, draw, rows);
    }
    Path unfinished = Files.write(folder.resolve(name + ".part"), bytes.array());
    return Files.move(unfinished, folder.resolve(name + ".bin"), StandardCopyOption.ATOMIC_MOVE);
  }
}
