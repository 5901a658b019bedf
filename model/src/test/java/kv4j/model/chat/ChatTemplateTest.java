package kv4j.model.chat;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import kv4j.model.ByteTokenizer;
import kv4j.model.Tokenizer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChatTemplateTest {
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2025-03-09T12:00:00Z"), ZoneOffset.UTC);
  private static final ChatMessage SYSTEM = new ChatMessage("system", "Be brief.");
  private static final ChatMessage HI = new ChatMessage("user", " Hi \n");
  private static final ChatMessage YES = new ChatMessage("assistant", "Yes?");
  private static final ChatMessage WHY = new ChatMessage("user", "Why {{ 1 + 1 }} <b>?");
  private static final List<ChatMessage> TALK = List.of(SYSTEM, HI, YES, WHY);
  private static final List<ChatMessage> START = List.of(HI);

  @Test
  void llama3() {
    assertEquals(
        "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
            + "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
            + "<|start_header_id|>assistant<|end_header_id|>\n\nYes?<|eot_id|>"
            + "<|start_header_id|>user<|end_header_id|>\n\nWhy {{ 1 + 1 }} <b>?<|eot_id|>"
            + "<|start_header_id|>assistant<|end_header_id|>\n\n",
        family("llama-3").render(TALK, true));
    assertEquals(
        "<s><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>",
        family("llama-3").render(START, false));
  }

  @Test
  void llama32() {
    String system =
        "<s><|start_header_id|>system<|end_header_id|>\n\n"
            + "Cutting Knowledge Date: December 2023\nToday Date: ";
    assertEquals(
        system
            + "09 Mar 2025\n\nBe brief.<|eot_id|>"
            + "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
            + "<|start_header_id|>assistant<|end_header_id|>\n\nYes?<|eot_id|>"
            + "<|start_header_id|>user<|end_header_id|>\n\nWhy {{ 1 + 1 }} <b>?<|eot_id|>"
            + "<|start_header_id|>assistant<|end_header_id|>\n\n",
        family("llama-3.2").render(TALK, true));
    assertEquals(
        system + "1 May 2024\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>",
        family("llama-3.2").render(START, false, Map.of("date_string", "1 May 2024")));
  }

  @Test
  void llama32WithTools() {
    Map<String, ?> tools = Map.of("tools", List.of(Map.of("name", "now")));
    String text = family("llama-3.2").render(List.of(SYSTEM, HI), false, tools);
    assertTrue(text.contains("Environment: ipython\nCutting"), text);
    assertTrue(text.endsWith("\n\n{\n    \"name\": \"now\"\n}\n\nHi<|eot_id|>"), text);
  }

  @Test
  void llama2() {
    assertEquals(
        "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\n Hi [/INST] Yes? </s>"
            + "<s>[INST] Why {{ 1 + 1 }} <b>? [/INST]",
        family("llama-2").render(TALK, true));
    assertEquals("<s>[INST] Hi [/INST]", family("llama-2").render(START, true));
  }

  @Test
  void mistral() {
    assertEquals(
        "<s>[INST]  Hi \n [/INST]Yes?</s>[INST] Why {{ 1 + 1 }} <b>? [/INST]",
        family("mistral-0.2").render(TALK.subList(1, 4), true));
    assertEquals(
        "<s>[INST]  Hi \n[/INST] Yes?</s>[INST] Be brief.\n\nWhy {{ 1 + 1 }} <b>?[/INST]",
        family("mistral-0.3").render(TALK, true));
    assertEquals("<s>[INST]  Hi \n[/INST]", family("mistral-0.3").render(START, true));
  }

  @Test
  void qwen25() {
    assertEquals(
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n Hi \n<|im_end|>\n"
            + "<|im_start|>assistant\nYes?<|im_end|>\n"
            + "<|im_start|>user\nWhy {{ 1 + 1 }} <b>?<|im_end|>\n<|im_start|>assistant\n",
        family("qwen2.5").render(TALK, true));
    assertEquals(
        "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant."
            + "<|im_end|>\n<|im_start|>user\n Hi \n<|im_end|>\n",
        family("qwen2.5").render(START, false));
  }

  @Test
  void qwen3() {
    ChatMessage thought = new ChatMessage("assistant", "<think>\nHm.\n</think>\n\nYes?");
    assertEquals(
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n Hi \n<|im_end|>\n"
            + "<|im_start|>assistant\nYes?<|im_end|>\n"
            + "<|im_start|>user\nWhy {{ 1 + 1 }} <b>?<|im_end|>\n<|im_start|>assistant\n",
        family("qwen3").render(List.of(SYSTEM, HI, thought, WHY), true),
        "an earlier answer's thoughts are left out");
    assertEquals(
        "<|im_start|>user\n Hi \n<|im_end|>\n"
            + "<|im_start|>assistant\n<think>\nHm.\n</think>\n\nYes?<|im_end|>\n",
        family("qwen3").render(List.of(HI, thought), false),
        "the last answer's are kept");
    assertEquals(
        "<|im_start|>user\n Hi \n<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
        family("qwen3").render(START, true, Map.of("enable_thinking", false)));
  }

  @Test
  void smollm2() {
    assertEquals(
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n Hi \n<|im_end|>\n"
            + "<|im_start|>assistant\nYes?<|im_end|>\n"
            + "<|im_start|>user\nWhy {{ 1 + 1 }} <b>?<|im_end|>\n<|im_start|>assistant\n",
        family("smollm2").render(TALK, true));
    assertEquals(
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
            + "<|im_end|>\n<|im_start|>user\n Hi \n<|im_end|>\n",
        family("smollm2").render(START, false));
  }

  @Test
  void tinyllama() {
    assertEquals(
        "<|system|>\nBe brief.</s>\n<|user|>\n Hi \n</s>\n<|assistant|>\nYes?</s>\n"
            + "<|user|>\nWhy {{ 1 + 1 }} <b>?</s>\n<|assistant|>\n",
        family("tinyllama").render(TALK, true));
    assertEquals("<|user|>\n Hi \n</s>\n", family("tinyllama").render(START, false));
  }

  @Test
  void plain() {
    assertEquals(
        "system: Be brief.\nuser:  Hi \n\nassistant:Yes?\nuser: Why {{ 1 + 1 }} <b>?\nassistant:",
        ChatTemplate.plain().render(TALK, true));
    assertEquals("user:  Hi \n\n", ChatTemplate.plain().render(START, false));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"llama-2", "llama-3", "llama-3.2", "qwen2.5", "qwen3", "smollm2", "tinyllama"})
  void theSystemPromptIsASharedPrefix(String name) {
    String one = family(name).render(List.of(SYSTEM, HI), true);
    String other = family(name).render(List.of(SYSTEM, WHY), true);
    int shared = 0;
    while (one.charAt(shared) == other.charAt(shared)) {
      shared++;
    }
    assertTrue(one.substring(0, shared).contains("Be brief."), one);
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama-2", "mistral-0.2", "mistral-0.3"})
  void aTemplateCanRefuse(String name) {
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> family(name).render(List.of(HI, WHY), true))
            .getMessage();
    assertTrue(message.startsWith("the chat template refuses the conversation: "), message);
    assertTrue(message.contains("must alternate user/assistant"), message);
  }

  /** As in Python; Llama 3.2's template writes what a tool says as JSON because of it. */
  @Test
  void aTextIsASequenceOfCharacters() {
    String said = "{{ (m.content is iterable) ~ (m.content is sequence) ~ (1 is iterable) }}";
    String loop = "{% for m in messages %}" + said + "{% endfor %}";
    assertEquals("TrueTrueFalse", new ChatTemplate(loop, "", "").render(START, false));
    String answer = family("llama-3.2").render(List.of(HI, new ChatMessage("tool", "x")), false);
    assertTrue(answer.endsWith("ipython<|end_header_id|>\n\n\"x\"<|eot_id|>"), answer);
  }

  @Test
  void whatMessagesSayIsNoTokenAndNoCode() {
    Tokenizer tokenizer = new OneSpecialToken();
    ChatTemplate template =
        new ChatTemplate("{% for m in messages %}<end>{{ m.content|trim }}{% endfor %}", "", "");
    int[] tokens =
        template.encode(tokenizer, List.of(new ChatMessage("user", " <end>{{ 2 }}")), false);
    int[] text = tokenizer.encode("<end>{{ 2 }}");
    int[] expected =
        IntStream.concat(IntStream.of(256, ByteTokenizer.VOCABULARY), IntStream.of(text)).toArray();
    assertArrayEquals(expected, tokens);
  }

  @Test
  void theBeginTokenComesOnce() {
    ByteTokenizer tokenizer = new ByteTokenizer();
    int[] tokens = ChatTemplate.plain().encode(tokenizer, START, false);
    assertEquals(tokenizer.beginToken(), tokens[0]);
    assertEquals("user:  Hi \n\n", tokenizer.decode(tokens));
    Tokenizer special = new OneSpecialToken();
    int[] begun =
        new ChatTemplate("<begin>{{ messages[0].content }}", "", "").encode(special, START, false);
    assertEquals(256, begun[0]);
    assertEquals(' ', begun[1]);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% if",
        "{{ 'a",
        "{# a",
        "{{ a b }}",
        "{% for %}{% endfor %}",
        "{% if true %}",
        "{{ 7 // 0 }}",
        "{{ messages[0].getClass() }}",
        "{{ 'a'.getClass() }}",
        "{{ messages.size() }}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% nonesuch %}",
        "{{ 'a'|nonesuch }}",
        "{{ 1 is nonesuch }}",
        "{% raw %}",
        "{{ 'a'.split('') }}",
        "{{ raise_exception('no') }}"
      })
  void whatCannotBeRunIsRefusedInOneSentence(String template) {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> new ChatTemplate(template, "", "").render(START, true))
            .getMessage();
    assertTrue(message.startsWith("the chat template "), message);
    assertTrue(message.indexOf('\n') < 0, message);
  }

  @Test
  void refusesAnEmptyConversation() {
    assertThrows(
        IllegalArgumentException.class, () -> ChatTemplate.plain().render(List.of(), true));
    assertThrows(IllegalArgumentException.class, () -> new ChatMessage(" ", "a"));
  }

  @Test
  void mutatedTemplatesRenderOrAreRefused() {
    long seed = 20250309;
    Random random = new Random(seed);
    String[] names = {"llama-2", "llama-3.2", "qwen3", "mistral-0.3", "tinyllama"};
    String spice = "{}%#-'\"()[]|.\n \\=,";
    for (int i = 0; i < 400; i++) {
      StringBuilder text = new StringBuilder(source(names[i % names.length]));
      for (int change = random.nextInt(4); change >= 0; change--) {
        int at = random.nextInt(text.length());
        int end = Math.min(text.length(), at + random.nextInt(20));
        text.replace(at, end, spice.substring(random.nextInt(spice.length())).substring(0, 1));
      }
      try {
        new ChatTemplate(text.toString(), "<s>", "</s>", CLOCK).render(TALK, true);
      } catch (IllegalArgumentException e) {
        assertTrue(e.getMessage().startsWith("the chat template "), "seed " + seed + " case " + i);
      }
    }
  }

  @Test
  void findsTheTemplateOfAFile(@TempDir Path folder) throws IOException {
    Tokenizer tokenizer = new ByteTokenizer();
    assertTrue(ChatTemplates.from(Map.of(), tokenizer).isEmpty());
    assertTrue(ChatTemplates.read(folder, tokenizer).isEmpty());
    Map<String, Object> metadata = Map.of("tokenizer.chat_template", "{{ messages[0].role }}");
    assertEquals("user", ChatTemplates.from(metadata, tokenizer).orElseThrow().render(START, true));
    assertThrows(
        IllegalArgumentException.class,
        () -> ChatTemplates.from(Map.of("tokenizer.chat_template", 1), tokenizer));

    Path config = folder.resolve("tokenizer_config.json");
    Files.writeString(config, "{}");
    assertTrue(ChatTemplates.read(folder, tokenizer).isEmpty());
    Files.writeString(config, "{\"chat_template\": \"one\"}");
    assertEquals("one", ChatTemplates.read(folder, tokenizer).orElseThrow().render(START, true));
    Files.writeString(
        config,
        "{\"chat_template\": [{\"name\": \"tool_use\", \"template\": \"a\"},"
            + " {\"name\": \"default\", \"template\": \"b\"}]}");
    assertEquals("b", ChatTemplates.read(folder, tokenizer).orElseThrow().render(START, true));
    Files.writeString(folder.resolve("chat_template.jinja"), "file");
    assertEquals("file", ChatTemplates.read(folder, tokenizer).orElseThrow().render(START, true));
    Files.delete(folder.resolve("chat_template.jinja"));
    Files.writeString(config, "{");
    assertThrows(IllegalArgumentException.class, () -> ChatTemplates.read(folder, tokenizer));
  }

  @Test
  void picksANamedTemplate(@TempDir Path folder) throws IOException {
    Map<String, ?> tools = Map.of("tools", List.of(Map.of("name", "now")));
    Path others = Files.createDirectory(folder.resolve("additional_chat_templates"));
    Files.writeString(others.resolve("tool_use.jinja"), "with tools");
    Files.writeString(others.resolve("rag.jinja"), "with documents");
    ChatTemplate named = ChatTemplates.read(folder, new ByteTokenizer()).orElseThrow();
    assertEquals("with tools", named.render(START, true, tools));
    String message =
        assertThrows(IllegalArgumentException.class, () -> named.render(START, true)).getMessage();
    assertEquals("the chat template has no default, only rag, tool_use", message);
    Files.writeString(folder.resolve("chat_template.jinja"), "plain");
    ChatTemplate all = ChatTemplates.read(folder, new ByteTokenizer()).orElseThrow();
    assertEquals("plain", all.render(START, true));
    assertEquals("with tools", all.render(START, true, tools));
  }

  private static ChatTemplate family(String name) {
    return new ChatTemplate(source(name), "<s>", "</s>", CLOCK);
  }

  private static String source(String name) {
    try (InputStream in = ChatTemplateTest.class.getResourceAsStream(name + ".jinja")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Bytes, and the special texts {@code <begin>} and {@code <end>}. */
  private static final class OneSpecialToken implements Tokenizer {
    private final ByteTokenizer bytes = new ByteTokenizer();

    @Override
    public int vocabulary() {
      return bytes.vocabulary() + 1;
    }

    @Override
    public int[] encode(String text) {
      return bytes.encode(text);
    }

    @Override
    public int[] encodeWithSpecial(String text) {
      IntStream.Builder out = IntStream.builder();
      for (String part : text.split("(?<=<end>|<begin>)|(?=<end>|<begin>)")) {
        switch (part) {
          case "<end>" -> out.add(bytes.vocabulary());
          case "<begin>" -> out.add(bytes.beginToken());
          default -> IntStream.of(encode(part.replace("\uFDD0", ""))).forEach(out);
        }
      }
      return out.build().toArray();
    }

    @Override
    public String escapeSpecial(String text) {
      return text.replace("<end>", "<\uFDD0end>");
    }

    @Override
    public String decode(int... tokens) {
      return bytes.decode(tokens);
    }

    @Override
    public int beginToken() {
      return bytes.beginToken();
    }

    @Override
    public int endToken() {
      return bytes.endToken();
    }
  }

  /** What messages and tools say is text, even where it looks like a special token. */
  @Test
  void conversationsWithToolsAreEncodedAsTheTemplateWritesThem() {
    ChatTemplate template =
        new ChatTemplate(
            "{% if tools %}{{ tools[0].name }};{% endif %}{% for m in messages %}{{ m.role }}:"
                + "{{ m.content }}{% if m.calls %}!{{ m.calls[0].id }}{% endif %};{% endfor %}"
                + "{% if add_generation_prompt %}>{% endif %}",
            "", "");
    assertTrue(template.takesTools());
    assertTrue(!ChatTemplate.plain().takesTools());
    Tokenizer tokenizer = new ByteTokenizer();
    List<Map<String, Object>> messages =
        List.of(
            Map.of("role", "user", "content", "Hi"),
            Map.of("role", "assistant", "content", "", "calls", List.of(Map.of("id", 7))));
    int[] tokens = template.encode(tokenizer, messages, List.of(Map.of("name", "clock")), true);
    assertEquals("clock;user:Hi;assistant:!7;>", tokenizer.decode(tokens));
    assertEquals(
        "user:Hi;assistant:!7;",
        tokenizer.decode(template.encode(tokenizer, messages, null, false)));
  }
}
