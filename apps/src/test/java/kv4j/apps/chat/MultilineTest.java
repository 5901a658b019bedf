package kv4j.apps.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MultilineTest {
  @Test
  void knowsWhetherAMessageGoesOn() {
    for (String whole :
        new String[] {"", "a", "a\\\nb", "\"\"\"\"\"\"", "\"\"\"a\nb\"\"\"", "a \"\"\""}) {
      assertTrue(Multiline.isComplete(whole), whole);
    }
    for (String part :
        new String[] {"a\\", "a\\\nb\\", "\"\"\"", "\"\"\"\"\"", " \"\"\" a\nb \"\"\" c"}) {
      assertFalse(Multiline.isComplete(part), part);
    }
  }

  @Test
  void leavesOutWhatJoinedTheLines() {
    assertEquals("a \nb", Multiline.message("a \\\nb"));
    assertEquals("a\\b", Multiline.message("a\\b"));
    assertEquals("a\n\n b", Multiline.message("\"\"\"\na\n\n b\n\"\"\""));
    assertEquals("a", Multiline.message(" \"\"\"a\"\"\" "));
  }

  @Test
  void pipedLinesAreJoinedLikewise() throws IOException {
    String text = "one\ntwo \\\n2\n\"\"\"\nthree\n\n3\n\"\"\"\n\nfour\\";
    List<String> messages = new ArrayList<>();
    try (PipedInput input =
        new PipedInput(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)))) {
      for (Optional<String> next = input.next(); next.isPresent(); next = input.next()) {
        messages.add(next.get());
      }
    }
    assertEquals(List.of("one", "two \n2", "three\n\n3", "", "four\\"), messages);
  }
}
