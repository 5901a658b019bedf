package kv4j.apps.model;

import static kv4j.apps.report.TextPage.left;
import static kv4j.apps.report.TextPage.right;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kv4j.apps.model.ModelContents.Supported;
import kv4j.apps.model.ModelContents.Tensor;
import kv4j.apps.model.ModelContents.Token;
import kv4j.apps.report.Format;
import kv4j.apps.report.TextPage;
import kv4j.model.TransformerConfig;

/** Says what is in a model file, in tables for people. */
public final class ContentsPrinter {
  private static final int LONGEST_VALUE = 200;

  private final ModelContents contents;
  private final TextPage page = new TextPage();

  private record Row(String name, String value) {}

  private ContentsPrinter(ModelContents contents) {
    this.contents = contents;
  }

  /** All of it. */
  public static String text(ModelContents contents) {
    return new ContentsPrinter(contents).text();
  }

  private String text() {
    page.paragraph(contents.file() + ": " + contents.format());
    contents.problems().forEach(page::paragraph);
    List<Row> rows = new ArrayList<>();
    contents.model().ifPresent(model -> model(model, rows));
    contents.tokenizer().ifPresent(tokenizer -> tokenizer(tokenizer, rows));
    if (!rows.isEmpty()) {
      table("model", rows);
    }
    table("metadata", contents.metadata().entrySet().stream().map(ContentsPrinter::row).toList());
    page.table(
        contents.tensors(),
        List.of(
            left("tensor", Tensor::name),
            left("type", Tensor::type),
            right("shape", tensor -> tensor.shape().toString())));
    page.line("chat template: " + (contents.chatTemplate().isPresent() ? "" : "none"));
    return page + contents.chatTemplate().map(text -> text.stripTrailing() + "\n").orElse("");
  }

  private void table(String title, List<Row> rows) {
    page.table(rows, List.of(left(title, Row::name), left("", Row::value)));
  }

  private static void model(Supported model, List<Row> rows) {
    TransformerConfig shape = model.shape();
    rows.add(new Row("name", model.name()));
    rows.add(new Row("architecture", model.architecture()));
    rows.add(new Row("weights", Format.number(model.parameters() / 1e6) + " M"));
    rows.add(new Row("memory when loaded", Format.bytes(model.bytes())));
    rows.add(new Row("layers", Integer.toString(shape.layers())));
    rows.add(new Row("width", Integer.toString(shape.dim())));
    rows.add(
        new Row(
            "heads",
            "%d of %d, %d for keys and values"
                .formatted(shape.heads(), shape.headDim(), shape.kvHeads())));
    rows.add(new Row("feed-forward width", Integer.toString(shape.ffnDim())));
    rows.add(new Row("context", Integer.toString(shape.context())));
    rows.add(new Row("vocabulary", Integer.toString(shape.vocabulary())));
    if (!model.unknownKeys().isEmpty()) {
      String keys = String.join(", ", model.unknownKeys());
      rows.add(new Row("keys not known", keys.replaceAll("\\p{Cntrl}+", " ")));
    }
  }

  private static void tokenizer(ModelContents.Vocabulary tokenizer, List<Row> rows) {
    rows.add(new Row("tokenizer", tokenizer.kind() + ", " + tokenizer.tokens() + " tokens"));
    rows.add(
        new Row(
            "begin token",
            token(tokenizer.begin()) + (tokenizer.addsBegin() ? ", added to prompts" : "")));
    List<String> ends = tokenizer.ends().stream().map(end -> token(Optional.of(end))).toList();
    rows.add(new Row("end tokens", String.join(", ", ends)));
  }

  private static String token(Optional<Token> token) {
    return token.map(t -> t.id() + " " + t.name()).orElse("none");
  }

  private static Row row(Map.Entry<String, Object> entry) {
    String value = String.valueOf(entry.getValue()).replaceAll("\\p{Cntrl}+", " ");
    boolean fits = value.length() <= LONGEST_VALUE;
    return new Row(entry.getKey(), fits ? value : value.substring(0, LONGEST_VALUE) + "...");
  }
}
