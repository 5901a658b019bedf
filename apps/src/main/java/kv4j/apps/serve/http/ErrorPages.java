package kv4j.apps.serve.http;

import java.util.Locale;
import kv4j.apps.serve.openai.RequestException;
import kv4j.apps.serve.openai.StrictJson;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;

/** What Jetty itself refuses, such as headers that are too long, in OpenAI's form. */
public final class ErrorPages extends ErrorHandler {
  private static final HttpField JSON = new HttpField(HttpHeader.CONTENT_TYPE, "application/json");

  @Override
  protected void generateResponse(
      Request request,
      Response response,
      int status,
      String message,
      Throwable cause,
      Callback callback) {
    response.getHeaders().put(JSON);
    Content.Sink.write(response, true, page(status), callback);
  }

  private static String page(int status) {
    String name = HttpStatus.getMessage(status).toLowerCase(Locale.ROOT);
    return StrictJson.write(
        RequestException.of(
                status,
                name.replace(' ', '_'),
                "the request was refused: %d %s".formatted(status, name))
            .json());
  }
}
