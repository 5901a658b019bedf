package kv4j.model.format;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Ways in which a file can be wrong. */
final class Mutations {
  private static final long[] NUMBERS = {
    0,
    1,
    2,
    5,
    9,
    13,
    16,
    31,
    32,
    255,
    256,
    1 << 16,
    1 << 20,
    Integer.MAX_VALUE,
    Integer.MIN_VALUE,
    1L << 32,
    1L << 40,
    1L << 61,
    1L << 62,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    -1
  };
  private static final Pattern TOKEN =
      Pattern.compile("\"[^\"]*\"|-?[0-9.e-]+|[{}\\[\\]:,]|true|null");

  private Mutations() {}

  /** One to three mutations of any bytes. */
  static byte[] bytes(byte[] sound, Random random) {
    byte[] bytes = sound.clone();
    for (int left = 1 + random.nextInt(3); left > 0; left--) {
      bytes = once(bytes, random);
    }
    return bytes;
  }

  private static byte[] once(byte[] bytes, Random random) {
    // Headers are where numbers matter: most mutations are at the start.
    int bound = random.nextInt(4) == 0 ? bytes.length : Math.min(bytes.length, 900);
    if (bound < 16) {
      return new byte[random.nextInt(40)];
    }
    int at = random.nextInt(bound);
    int length = 1 + random.nextInt(24);
    int end = Math.min(bytes.length, at + length);
    ByteBuffer view = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    switch (random.nextInt(8)) {
      case 0:
        return Arrays.copyOf(bytes, random.nextInt(bytes.length));
      case 1:
        return Arrays.copyOf(bytes, bytes.length + length);
      case 2:
        return replace(bytes, at, end, new byte[0]);
      case 3:
        return replace(bytes, at, at, Arrays.copyOfRange(bytes, at, end));
      case 4:
        int from = random.nextInt(bound);
        byte[] copied = Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + length));
        return replace(bytes, at, Math.min(bytes.length, at + copied.length), copied);
      case 5:
        bytes[at] ^= (byte) (1 << random.nextInt(8));
        return bytes;
      case 6:
        view.putInt(Math.min(at, bytes.length - 4), (int) number(random));
        return bytes;
      default:
        view.putLong(Math.min(at, bytes.length - 8), number(random));
        return bytes;
    }
  }

  private static long number(Random random) {
    return NUMBERS[random.nextInt(NUMBERS.length)];
  }

  /** One or two mutations of JSON: of its tokens, now and then of its bytes. */
  static byte[] json(byte[] sound, Random random) {
    if (random.nextInt(8) == 0) {
      return bytes(sound, random);
    }
    String text = new String(sound, StandardCharsets.UTF_8);
    for (int left = 1 + random.nextInt(2); left > 0; left--) {
      Matcher matcher = TOKEN.matcher(text);
      List<MatchResult> tokens = matcher.results().toList();
      MatchResult token = tokens.get(random.nextInt(tokens.size()));
      String other = tokens.get(random.nextInt(tokens.size())).group();
      String replacement =
          switch (random.nextInt(7)) {
            case 0 -> "";
            case 1 -> token.group() + token.group();
            case 2 -> "[".repeat(random.nextInt(3000));
            case 3 -> "1e" + "9".repeat(random.nextInt(2000));
            case 4 -> "\"" + "long\\u0000\\n\\ud800".repeat(random.nextInt(50)) + "\"";
            case 5 -> other;
            default -> Long.toUnsignedString(number(random));
          };
      text = text.substring(0, token.start()) + replacement + text.substring(token.end());
    }
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] replace(byte[] bytes, int from, int to, byte[] with) {
    ByteBuffer all = ByteBuffer.allocate(from + with.length + bytes.length - to);
    return all.put(bytes, 0, from).put(with).put(bytes, to, bytes.length - to).array();
  }
}
