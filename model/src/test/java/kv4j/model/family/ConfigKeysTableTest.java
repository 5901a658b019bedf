package kv4j.model.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import kv4j.model.family.ConfigKeys.Key;
import org.junit.jupiter.api.Test;

/** The table of config keys is complete, and what the documentation shows. */
class ConfigKeysTableTest {
  /** Names in the config classes of Transformers 4.57 and 5, without settings of generation. */
  private static final Map<String, String> PUBLISHED =
      Map.of(
          "all",
          """
          add_cross_attention architectures bos_token_id chunk_size_feed_forward
          cross_attention_hidden_size decoder_start_token_id dtype eos_token_id finetuning_task
          id2label is_decoder is_encoder_decoder label2id name_or_path num_labels
          output_attentions output_hidden_states pad_token_id per_layer_config prefix problem_type
          pruned_heads return_dict sep_token_id task_specific_params tf_legacy_loss
          tie_encoder_decoder tie_word_embeddings tokenizer_class torch_dtype torchscript
          transformers_version use_bfloat16 model_type quantization_config auto_map is_causal
          _name_or_path _attn_implementation_autoset
          """,
          "llama",
          """
          vocab_size hidden_size intermediate_size num_hidden_layers num_attention_heads
          num_key_value_heads hidden_act max_position_embeddings initializer_range rms_norm_eps
          use_cache pretraining_tp rope_theta rope_scaling rope_parameters attention_bias
          attention_dropout mlp_bias head_dim
          """,
          "mistral",
          """
          vocab_size hidden_size intermediate_size num_hidden_layers num_attention_heads
          num_key_value_heads head_dim hidden_act max_position_embeddings initializer_range
          rms_norm_eps use_cache rope_theta rope_scaling rope_parameters sliding_window
          attention_dropout layer_types
          """,
          "qwen2",
          """
          vocab_size hidden_size intermediate_size num_hidden_layers num_attention_heads
          num_key_value_heads hidden_act max_position_embeddings initializer_range rms_norm_eps
          use_cache rope_theta rope_scaling rope_parameters use_sliding_window sliding_window
          max_window_layers layer_types attention_dropout
          """,
          "qwen3",
          """
          vocab_size hidden_size intermediate_size num_hidden_layers num_attention_heads
          num_key_value_heads head_dim hidden_act max_position_embeddings initializer_range
          rms_norm_eps use_cache rope_theta rope_scaling rope_parameters attention_bias
          use_sliding_window sliding_window max_window_layers layer_types attention_dropout
          """,
          "gpt2",
          """
          vocab_size n_positions n_embd n_layer n_head n_inner activation_function resid_pdrop
          embd_pdrop attn_pdrop layer_norm_epsilon initializer_range summary_type summary_use_proj
          summary_activation summary_proj_to_labels summary_first_dropout scale_attn_weights
          use_cache scale_attn_by_inverse_layer_idx reorder_and_upcast_attn hidden_size
          max_position_embeddings num_attention_heads num_hidden_layers n_ctx
          """);

  /** What llama.cpp reads of every architecture, and of the supported ones. */
  private static final String LLAMA_CPP =
      """
      vocab_size context_length embedding_length embedding_length_out block_count features_length
      feed_forward_length leading_dense_block_count expert_count expert_used_count
      expert_weights_scale expert_gating_func attention.head_count attention.head_count_kv
      attention.key_length attention.value_length attention.causal attention.clamp_kqv
      attention.max_alibi_bias attention.scale attention.sliding_window
      attention.layer_norm_epsilon attention.layer_norm_rms_epsilon attn_logit_softcapping
      final_logit_softcapping logit_scale residual_scale embedding_scale pooling_type
      tensor_data_layout use_parallel_residual rope.dimension_sections rope.scaling.finetuned
      """;

  private static final String LLAMA_CPP_ROPE =
      """
      rope.dimension_count rope.freq_base rope.scale_linear rope.scaling.type rope.scaling.factor
      rope.scaling.alpha rope.scaling.attn_factor rope.scaling.original_context_length
      rope.scaling.yarn_log_multiplier rope.scaling.yarn_ext_factor rope.scaling.yarn_attn_factor
      rope.scaling.yarn_beta_fast rope.scaling.yarn_beta_slow
      """;

  @Test
  void everyPublishedKeyIsInTheTable() {
    for (String family : List.of("llama", "mistral", "qwen2", "qwen3", "gpt2")) {
      Stream.of(PUBLISHED.get("all"), PUBLISHED.get(family))
          .flatMap(names -> Arrays.stream(names.strip().split("\\s+")))
          .forEach(name -> assertKnown("config.json", family, name));
    }
    for (String family : List.of("llama", "qwen2", "qwen3", "gpt2")) {
      for (String name : LLAMA_CPP.strip().split("\\s+")) {
        assertKnown("GGUF", family, name);
      }
      if (!family.equals("gpt2")) {
        for (String name : LLAMA_CPP_ROPE.strip().split("\\s+")) {
          assertKnown("GGUF", family, name);
        }
      }
    }
  }

  private static void assertKnown(String file, String family, String name) {
    assertTrue(
        ConfigKeys.all().stream()
            .anyMatch(
                key ->
                    key.file().equals(file)
                        && key.families().contains(family)
                        && (key.name().equals(name)
                            || key.name().endsWith("*")
                                && name.startsWith(key.name().replace("*", "")))),
        name + " of " + family + " is not in the table for " + file);
  }

  @Test
  void noKeyIsInTheTableTwice() {
    Set<String> seen = new LinkedHashSet<>();
    for (ConfigKeysTest.Case one : ConfigKeysTest.cases(key -> true)) {
      assertTrue(seen.add(one.toString()), one + " is there twice");
    }
  }

  /** If it does not, what it should be is in {@code target/config-keys.md}. */
  @Test
  void theDocumentationShowsTheTable() throws IOException {
    Path page = Path.of("../docs/config-keys.md");
    String text = Files.readString(page);
    String before = text.substring(0, text.indexOf("<!-- table -->"));
    String whole = before + "<!-- table -->\n" + tables();
    if (!whole.equals(text)) {
      Files.writeString(Path.of("target/config-keys.md"), whole);
    }
    assertEquals(whole, text);
  }

  private static String tables() {
    Map<String, String> titles = new LinkedHashMap<>();
    titles.put("config.json", "`config.json` of a Hugging Face folder");
    titles.put("rope", "`rope_scaling` and `rope_parameters` in it");
    titles.put("GGUF", "GGUF, after the architecture and a dot");
    StringBuilder page = new StringBuilder();
    titles.forEach(
        (file, title) -> {
          page.append("\n## ").append(title).append("\n\n");
          page.append("| key | families | | without effect as | what it says |\n");
          page.append("|---|---|---|---|---|\n");
          ConfigKeys.all().stream()
              .filter(key -> key.file().equals(file))
              .forEach(key -> page.append(row(key)));
        });
    return page.toString();
  }

  private static String row(Key key) {
    boolean all = key.families().size() == (key.file().equals("GGUF") ? 4 : 5);
    String families = all ? "all" : String.join(", ", key.families().stream().sorted().toList());
    String neutral = String.join(", ", key.neutral().stream().map(v -> "`" + v + "`").toList());
    return "| `%s` | %s | %s | %s | %s |\n"
        .formatted(
            key.name(),
            families,
            key.handling().name().toLowerCase(Locale.ROOT),
            neutral,
            key.meaning());
  }
}
