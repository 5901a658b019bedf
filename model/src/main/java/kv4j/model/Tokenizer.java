package kv4j.model;

/** Turns text into token ids and back. */
public interface Tokenizer {
  /** Number of token ids; all ids are below it. */
  int vocabulary();

  /** Ids of a text, without begin or end token; special tokens in the text are text. */
  int[] encode(String text);

  /** The text of some ids; begin and end tokens are left out. */
  String decode(int... tokens);

  /** The id that begins a sequence, or -1. */
  int beginToken();

  /** The id that ends a sequence, or -1. */
  int endToken();
}
