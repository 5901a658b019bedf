package kv4j.apps.serve.openai;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;

/** A request that is refused, as OpenAI's error object says it. */
public final class RequestException extends RuntimeException {
  private static final long serialVersionUID = 1;
  private static final String INVALID = "invalid_request_error";
  private static final String SERVER = "server_error";

  private final int status;
  private final String type;
  private final String param;
  private final String code;

  /**
   * @param status of HTTP
   * @param type OpenAI's class of errors
   * @param param the parameter concerned; null if none is
   * @param code for programs; null if there is none
   * @param message one sentence
   */
  public RequestException(int status, String type, String param, String code, String message) {
    super(message, null, false, false); // the client's doing: where it was found is of no interest
    this.status = status;
    this.type = type;
    this.param = param;
    this.code = code;
  }

  /** A value that will not do. */
  public static RequestException invalid(String param, String message) {
    return new RequestException(400, INVALID, param, null, message);
  }

  /** What this server does not do. */
  public static RequestException unsupported(String param, String message) {
    return new RequestException(400, INVALID, param, "unsupported_parameter", message);
  }

  /** As {@link #invalid}, with another status and a code. */
  public static RequestException of(int status, String code, String message) {
    String type = status == 429 ? "rate_limit_error" : status < 500 ? INVALID : SERVER;
    return new RequestException(status, type, null, code, message);
  }

  /** Of HTTP. */
  public int status() {
    return status;
  }

  /** The parameter concerned. */
  public Optional<String> param() {
    return Optional.ofNullable(param);
  }

  /** OpenAI's error object. */
  public ObjectNode json() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    ObjectNode error = json.putObject("error").put("message", getMessage()).put("type", type);
    error.put("param", param).put("code", code);
    return json;
  }
}
