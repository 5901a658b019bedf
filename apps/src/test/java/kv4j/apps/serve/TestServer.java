package kv4j.apps.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import kv4j.apps.model.LoadedModel;
import kv4j.apps.serve.host.ServedModel;
import kv4j.apps.serve.http.Keys;
import kv4j.apps.store.OpenStore;
import kv4j.apps.store.StoreChoice;
import kv4j.apps.store.StoreSpec;
import kv4j.apps.text.SessionCache;
import kv4j.cache.EvictionPolicy;
import kv4j.cache.block.KvDtype;
import kv4j.cache.faulty.Fault;
import kv4j.cache.store.StoreConfig;
import kv4j.cache.store.StoreOptions;
import kv4j.inference.EngineOptions;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import kv4j.model.chat.ChatTemplate;

/** A server on a free port, with the demo model {@code tiny}, and a client. */
final class TestServer implements AutoCloseable {
  static final ObjectMapper JSON = new ObjectMapper();

  /** Not for an engine: a graph takes one only. */
  static final Model MODEL = model();

  /** For some 8,000 tokens. */
  static final long CACHE_BYTES = 4L << 20;

  /** Knows tools, as many models' templates do. */
  static final String WITH_TOOLS =
      "{% if tools %}{{ tools | tojson }}{% endif %}{% for m in messages %}<{{ m.role }}>"
          + "{{ m.content }}{% if m.tool_calls %}{{ m.tool_calls | tojson }}{% endif %}{% endfor %}"
          + "{% if add_generation_prompt %}<assistant>{% endif %}";

  static final Keys NO_KEYS = new Keys(Optional.empty(), Optional.empty(), Optional.empty());

  final ServedModel model;
  final Server server;
  final HttpClient client = HttpClient.newHttpClient();

  /** What a request gave. */
  record Reply(int status, JsonNode json, HttpResponse<String> http) {
    JsonNode at(String pointer) {
      return json.at(pointer);
    }

    String error() {
      return json.at("/error/message").asText();
    }
  }

  static Model model() {
    return DemoModels.create(ModelPreset.TINY, 42);
  }

  TestServer() {
    this(NO_KEYS, 2, 16, Optional.empty());
  }

  TestServer(Keys keys, int running, int waiting, Optional<String> template) {
    this(keys, running, waiting, template, Optional.empty(), CACHE_BYTES, Duration.ofSeconds(60));
  }

  TestServer(
      Keys keys,
      int running,
      int waiting,
      Optional<String> template,
      Optional<Fault> fault,
      long cacheBytes,
      Duration arrival) {
    this(
        keys,
        running,
        waiting,
        template,
        new SessionCache(
            cacheBytes,
            Optional.empty(),
            EvictionPolicy.Standard.LRU,
            KvDtype.F32,
            fault,
            Optional.empty()),
        Optional.empty(),
        arrival);
  }

  /**
   * @param cacheFiles where it may save its cache
   * @param arrival how long requests may take to arrive
   */
  TestServer(
      Keys keys,
      int running,
      int waiting,
      Optional<String> template,
      SessionCache cache,
      Optional<Path> cacheFiles,
      Duration arrival) {
    LoadedModel loaded =
        new LoadedModel(model(), template.map(t -> new ChatTemplate(t, "", "")), Map.of());
    // Small chunks, so that a long prompt takes several passes.
    ServeOptions options =
        new ServeOptions(
            "127.0.0.1",
            0,
            keys,
            running,
            waiting,
            64,
            cache,
            Optional.empty(),
            Optional.empty(),
            cacheFiles,
            Duration.ofSeconds(20));
    model =
        new ServedModel(
            loaded,
            new EngineOptions(1, 64),
            options.cache(),
            OpenStore.of(cache.store(), TestServer.class.getClassLoader()),
            options.scheduling());
    server = new Server(model, options, arrival);
    server.start();
  }

  static TestServer withFault(Fault fault) {
    return new TestServer(
        NO_KEYS, 2, 16, Optional.empty(), Optional.of(fault), CACHE_BYTES, Duration.ofSeconds(60));
  }

  /** With a file for each block in a folder behind its cache, and files of its cache in another. */
  static TestServer withStore(Keys keys, Path blocks, Path cacheFiles) {
    return new TestServer(
        keys,
        2,
        16,
        Optional.empty(),
        cacheOver(blocks),
        Optional.of(cacheFiles),
        Duration.ofSeconds(60));
  }

  /** A cache with a file for each block in a folder behind it. */
  static SessionCache cacheOver(Path blocks) {
    StoreChoice files =
        new StoreChoice(
            new StoreSpec("files", StoreOptions.of(blocks.toString()), Optional.empty()),
            StoreConfig.When.COMMIT,
            16,
            Optional.empty(),
            Duration.ofSeconds(30));
    return SessionCache.of(CACHE_BYTES).withStore(Optional.of(files));
  }

  static TestServer withKeys(Optional<String> single, Optional<Path> file, String admin) {
    return new TestServer(
        new Keys(single, file, Optional.ofNullable(admin)), 2, 16, Optional.empty());
  }

  int port() {
    return URI.create(server.url()).getPort();
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(server.url() + path)).timeout(Duration.ofMinutes(2));
  }

  HttpRequest.Builder post(String path, String body) {
    return request(path)
        .header("Content-Type", "application/json")
        .POST(BodyPublishers.ofString(body));
  }

  Reply send(HttpRequest.Builder request) {
    try {
      HttpResponse<String> response = client.send(request.build(), BodyHandlers.ofString());
      String body = response.body();
      boolean json = response.headers().firstValue("Content-Type").orElse("").contains("json");
      return new Reply(
          response.statusCode(), json ? JSON.readTree(body) : JSON.nullNode(), response);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  Reply get(String path) {
    return send(request(path));
  }

  Reply send(String path, String body) {
    return send(post(path, body));
  }

  /** Sends what has to go well. */
  JsonNode ask(String path, String body) {
    Reply reply = send(path, body);
    assertEquals(200, reply.status(), reply.http().body());
    return reply.json();
  }

  /** A streamed answer's chunks, up to the last; what ends it is checked. */
  List<JsonNode> stream(String path, String body) throws IOException, InterruptedException {
    HttpResponse<Stream<String>> response =
        client.send(post(path, body).build(), BodyHandlers.ofLines());
    assertEquals(200, response.statusCode());
    List<JsonNode> chunks = new ArrayList<>();
    List<String> lines =
        response.body().filter(line -> !line.isEmpty() && !line.startsWith(":")).toList();
    assertEquals("data: [DONE]", lines.get(lines.size() - 1));
    for (String line : lines.subList(0, lines.size() - 1)) {
      chunks.add(JSON.readTree(line.replaceFirst("^data: ", "")));
    }
    return chunks;
  }

  @Override
  public void close() {
    server.close();
    model.cache().checkIntegrity();
    model.close();
    model.store().close();
  }
}
