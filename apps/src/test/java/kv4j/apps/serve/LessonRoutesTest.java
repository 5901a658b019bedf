package kv4j.apps.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.javalin.Javalin;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import kv4j.apps.lesson.Classroom;
import kv4j.apps.lesson.Lesson;
import kv4j.apps.lesson.LessonStep;
import kv4j.apps.lesson.Lessons;
import kv4j.apps.serve.TestServer.Reply;
import kv4j.apps.serve.admin.LessonRoutes;
import kv4j.apps.serve.http.Bodies;
import kv4j.apps.serve.http.Gate;
import kv4j.apps.serve.http.Keys;
import kv4j.apps.serve.openai.RequestException;
import org.junit.jupiter.api.Test;

/** Lessons on the model that is served. */
class LessonRoutesTest {
  @Test
  void eachStepIsAnEvent() {
    try (TestServer server = new TestServer()) {
      List<String> names = new ArrayList<>();
      server.get("/lessons").at("/lessons").forEach(each -> names.add(each.get("name").asText()));
      assertEquals(Lessons.names(), names);
      Reply reply = server.send(server.request("/lessons/bits").POST(BodyPublishers.noBody()));
      assertEquals(200, reply.status());
      String[] events = reply.http().body().replace(": waiting\n\n", "").split("\n\n");
      assertEquals(3, events.length, reply.http().body());
      assertTrue(events[0].startsWith("id: 1\nevent: step\ndata: {\"title\""), events[0]);
      assertTrue(events[2].contains("event: end\n"), events[2]);
      assertEquals(0, server.get("/cache").at("/runs").size(), "it has caches of its own");
    }
  }

  /** Goes on when it is told to. */
  private record Slow(CountDownLatch goOn) implements Lesson {
    @Override
    public Outline outline() {
      return new Outline("slow", "Slow", "", "", "");
    }

    @Override
    public void give(Classroom room, Audience audience) throws IOException {
      audience.show(new LessonStep("first"));
      try {
        goOn.await();
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
      audience.show(new LessonStep("last"));
    }
  }

  @Test
  void oneIsGivenAtATime() throws Exception {
    Slow slow = new Slow(new CountDownLatch(1));
    Keys none = new Keys(Optional.empty(), Optional.empty(), Optional.empty());
    try (TestServer server = new TestServer()) {
      LessonRoutes routes = new LessonRoutes(server.model, new Gate(none), List.of(slow));
      Javalin javalin =
          Javalin.create(
                  config -> {
                    config.routes.post("/lessons/{name}", routes::give);
                    config.routes.exception(
                        RequestException.class, (e, ctx) -> Bodies.refuse(ctx, e));
                  })
              .start("127.0.0.1", 0);
      try {
        URI uri = URI.create("http://127.0.0.1:%d/lessons/slow".formatted(javalin.port()));
        HttpRequest post = HttpRequest.newBuilder(uri).POST(BodyPublishers.noBody()).build();
        HttpResponse<InputStream> first =
            server.client.send(post, BodyHandlers.ofInputStream()); // its first step has come
        HttpResponse<String> second = server.client.send(post, BodyHandlers.ofString());
        assertEquals(429, second.statusCode(), second.body());
        assertTrue(second.body().contains("another lesson is being given"), second.body());
        slow.goOn.countDown();
        String all = new String(first.body().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(all.contains("\"title\":\"last\"") && all.contains("event: end\n"), all);
      } finally {
        javalin.stop();
      }
    }
  }

  @Test
  void whatIsNotThereOrNotAllowedIsRefused() {
    try (TestServer server =
        TestServer.withKeys(Optional.of("secret"), Optional.empty(), "admin")) {
      for (String key : List.of("secret", "wrong")) {
        Reply reply =
            server.send(server.request("/lessons").header("Authorization", "Bearer " + key));
        assertTrue(reply.status() == 401 || reply.status() == 403, reply.http().body());
      }
      JsonNode unknown =
          server
              .send(
                  server
                      .request("/lessons/tea")
                      .header("Authorization", "Bearer admin")
                      .POST(BodyPublishers.noBody()))
              .json();
      assertEquals("there is no lesson of that name", unknown.at("/error/message").asText());
    }
  }
}
