/* The two halves of an inference, for inputs that are seen again. */
#ifndef PSOG_NETWORK_H
#define PSOG_NETWORK_H

#include "psog.h"

/* One reading to the network's inputs, its planes for each sensor. inputs: room for sensors · planes. */
void psog_normalise(const struct psog_model *model, const uint16_t *readings, int8_t *inputs);

/* Inputs to features: layout and layers. Arguments and errors are psog_infer's. */
enum psog_error psog_infer_inputs(const struct psog_model *model, const int32_t *biases, const int8_t *inputs,
                                  uint32_t *activations, size_t activation_bytes, int8_t *features);

/* Inputs to the cells of a plain network. */
void psog_place_plain(const struct psog_model *model, const int8_t *inputs, int8_t *activations);

#endif
