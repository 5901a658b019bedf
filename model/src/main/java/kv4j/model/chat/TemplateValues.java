package kv4j.model.chat;

import com.hubspot.jinjava.el.JinjavaInterpreterResolver;
import com.hubspot.jinjava.lib.exptest.ExpTest;
import com.hubspot.jinjava.lib.filter.Filter;
import com.hubspot.jinjava.util.ForLoop;
import java.beans.FeatureDescriptor;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import jinjava.javax.el.ELContext;
import jinjava.javax.el.ELException;
import jinjava.javax.el.ELResolver;

/**
 * What an expression in a template can reach: elements of lists and maps, the loop's variables, and
 * Python's methods on texts and maps. No Java object's properties or methods.
 */
final class TemplateValues extends ELResolver {
  private static final ELResolver VALUES = JinjavaInterpreterResolver.DEFAULT_RESOLVER_READ_ONLY;
  private static final Set<String> LOOP_VARIABLES =
      Set.of("index", "index0", "revindex", "revindex0", "first", "last", "length");

  @Override
  public Object getValue(ELContext context, Object base, Object property) {
    if (base instanceof ForLoop && !LOOP_VARIABLES.contains(String.valueOf(property))) {
      throw new ELException("loop." + property + " is not supported");
    }
    if (base == null
        || base instanceof Map
        || base instanceof List
        || base instanceof ForLoop
        || base.getClass().isArray()) {
      return VALUES.getValue(context, base, property);
    }
    context.setPropertyResolved(true);
    return null;
  }

  @Override
  public Object invoke(
      ELContext context, Object base, Object method, Class<?>[] types, Object[] arguments) {
    if (base instanceof Filter || base instanceof ExpTest) {
      return VALUES.invoke(context, base, method, types, arguments);
    }
    context.setPropertyResolved(true);
    Object[] given = arguments == null ? new Object[0] : arguments;
    try {
      if (base instanceof String text) {
        return PythonStrings.call(text, method.toString(), given);
      }
      if (base instanceof Map<?, ?> map) {
        return call(map, method.toString(), given);
      }
    } catch (IllegalArgumentException e) {
      throw new ELException(e.getMessage(), e);
    }
    throw new ELException("there is no method " + method);
  }

  private static Object call(Map<?, ?> map, String method, Object... arguments) {
    if (arguments.length == 0) {
      switch (method) {
        case "items":
          return new ArrayList<>(map.entrySet());
        case "keys":
          return new ArrayList<>(map.keySet());
        case "values":
          return new ArrayList<>(map.values());
        default:
          break;
      }
    }
    if (method.equals("get") && (arguments.length == 1 || arguments.length == 2)) {
      Object value = map.get(arguments[0]);
      return value == null && arguments.length == 2 ? arguments[1] : value;
    }
    throw new IllegalArgumentException(
        "a map has no method " + method + " with " + arguments.length + " arguments");
  }

  @Override
  public Class<?> getType(ELContext context, Object base, Object property) {
    return VALUES.getType(context, base, property);
  }

  @Override
  public void setValue(ELContext context, Object base, Object property, Object value) {
    throw new ELException("a template cannot change " + property);
  }

  @Override
  public boolean isReadOnly(ELContext context, Object base, Object property) {
    return true;
  }

  @Override
  public Iterator<FeatureDescriptor> getFeatureDescriptors(ELContext context, Object base) {
    return null;
  }

  @Override
  public Class<?> getCommonPropertyType(ELContext context, Object base) {
    return Object.class;
  }
}
