package kv4j.apps.serve.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import kv4j.apps.serve.openai.RequestException;
import kv4j.apps.serve.openai.StrictJson;

/** Reads bodies of requests, and writes those of answers. */
public final class Bodies {
  /** Of requests: a prompt of a million tokens fits, as text or as ids. */
  public static final int MOST_BYTES = 8 << 20;

  /** What is read of a body that is too long, for its sender to come to the answer. */
  private static final int MOST_IGNORED = 4 * MOST_BYTES;

  private static final String JSON = "application/json";

  private Bodies() {}

  /**
   * The JSON object that a request has for a body.
   *
   * @throws RequestException if it has none, or it is too long
   * @throws IOException if the client is gone
   */
  public static ObjectNode object(Context ctx) throws IOException {
    String type = Optional.ofNullable(ctx.header("Content-Type")).orElse("");
    if (!type.toLowerCase(Locale.ROOT).replaceFirst(";.*", "").strip().equals(JSON)) {
      throw RequestException.of(
          415, "unsupported_media_type", "the body must come as Content-Type: application/json");
    }
    return StrictJson.object(read(ctx.req().getInputStream()));
  }

  private static byte[] read(InputStream in) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    byte[] buffer = new byte[1 << 14];
    long size = 0;
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      size += n;
      if (size <= MOST_BYTES) {
        bytes.write(buffer, 0, n);
      } else if (size > MOST_IGNORED) {
        break;
      }
    }
    if (size > MOST_BYTES) {
      throw RequestException.of(
          413, "body_too_large", "the body has more than %d bytes".formatted(MOST_BYTES));
    }
    return bytes.toByteArray();
  }

  /** Answers with JSON. */
  public static void answer(Context ctx, int status, JsonNode json) {
    ctx.status(status).contentType(JSON).result(StrictJson.write(json));
  }

  /**
   * Answers with JSON that has been sent when this returns.
   *
   * @throws IOException if the client is gone
   */
  public static void send(Context ctx, JsonNode json) throws IOException {
    byte[] bytes = StrictJson.write(json).getBytes(StandardCharsets.UTF_8);
    ctx.status(200).contentType(JSON);
    ctx.res().setContentLength(bytes.length);
    ctx.res().getOutputStream().write(bytes);
    ctx.res().flushBuffer();
  }

  /** Answers with an error. */
  public static void refuse(Context ctx, RequestException e) {
    if (e.status() == 401) {
      ctx.header("WWW-Authenticate", "Bearer");
    }
    answer(ctx, e.status(), e.json());
  }
}
