package kv4j.inference.kernel;

import java.util.function.Supplier;
import kv4j.model.weight.PanelMatrix;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A matrix of weights, in the form that a product wants.
 *
 * @param panels gives it in panels
 * @param array gives it as floats in c order, {@code [inputs, outputs]}, or {@code [outputs,
 *     inputs]} if outputs come first
 */
public record Weight(
    boolean outputsFirst, Supplier<PanelMatrix> panels, Supplier<INDArray> array) {}
