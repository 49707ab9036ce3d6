/* The protocol between headset and host. Generated from psog/device/messages.py by
 * `python -m psog.device.c_header`; docs/SPEC.md explains it. */
#ifndef PSOG_PROTOCOL_H
#define PSOG_PROTOCOL_H

#define PSOG_PROTOCOL_VERSION 6u
#define PSOG_MAX_DATA 192u
#define PSOG_MAX_PAYLOAD 208u
#define PSOG_LIDS_FLOOR 0.5f
#define PSOG_LIDS_SHARE 0.8f
#define PSOG_LIDS_SINGLE_SHARE 0.6f
#define PSOG_LIDS_SMOOTH_US 15000.0f
#define PSOG_LIDS_RISE_US 20000.0f
#define PSOG_LIDS_FALL_US 500000.0f
#define PSOG_STILL_BIN_US 10000u
#define PSOG_STILL_BINS 9u
#define PSOG_STILL_GAP_US 50000u
#define PSOG_STILL_STEPS_PER_DEG 100.0f
#define PSOG_STILL_FARTHEST_DEG 180.0f
#define PSOG_STILL_DRIFT_STEPS 50
#define PSOG_FRAME_HEADER_SIZE 4u
#define PSOG_FRAME_CRC_SIZE 4u

/* STREAM_SET mask */
#define PSOG_STREAM_GAZE 1u
#define PSOG_STREAM_FEATURES 2u
#define PSOG_STREAM_SENSORS 4u
#define PSOG_STREAM_TRIAL 8u

/* flags of GAZE and TRIAL */
#define PSOG_GAZE_FLAG_VALID 1u
#define PSOG_GAZE_FLAG_CALIBRATED 2u
#define PSOG_GAZE_FLAG_SATURATED 4u
#define PSOG_GAZE_FLAG_STILL 8u

/* ---- Host to device ---- */

/* who are you? */
#define PSOG_MSG_HELLO_REQUEST 0x01u
#define PSOG_MSG_HELLO_REQUEST_SIZE 2u
#define PSOG_HELLO_REQUEST_PROTOCOL_OFFSET 0u

/* what to send per reading */
#define PSOG_MSG_STREAM_SET 0x02u
#define PSOG_MSG_STREAM_SET_SIZE 1u
#define PSOG_STREAM_SET_MASK_OFFSET 0u

/* expect an image in the slot that is not in use, or the rest of one; MODEL_OFFSET says where to go on */
#define PSOG_MSG_MODEL_BEGIN 0x10u
#define PSOG_MSG_MODEL_BEGIN_SIZE 8u
#define PSOG_MODEL_BEGIN_IMAGE_BYTES_OFFSET 0u
#define PSOG_MODEL_BEGIN_CRC32_OFFSET 4u

/* a piece of the image, at most 192 bytes; a multiple of 8 except for the last */
#define PSOG_MSG_MODEL_DATA 0x11u
#define PSOG_MSG_MODEL_DATA_SIZE 5u /* then count × u8 */
#define PSOG_MODEL_DATA_OFFSET_OFFSET 0u
#define PSOG_MODEL_DATA_COUNT_OFFSET 4u

/* check the image, run its self-test and use it on trial: until the next start */
#define PSOG_MSG_MODEL_COMMIT 0x12u
#define PSOG_MSG_MODEL_COMMIT_SIZE 0u

/* keep the model on trial; erases the calibrations of every other */
#define PSOG_MSG_MODEL_CONFIRM 0x13u
#define PSOG_MSG_MODEL_CONFIRM_SIZE 0u

/* start a calibration; forgets an unfinished one */
#define PSOG_MSG_TUNE_BEGIN 0x20u
#define PSOG_MSG_TUNE_BEGIN_SIZE 0u

/* add the next readings as one calibration target; TUNE_PROGRESS follows when they are in */
#define PSOG_MSG_TUNE_TARGET 0x21u
#define PSOG_MSG_TUNE_TARGET_SIZE 10u
#define PSOG_TUNE_TARGET_TARGET_H_DEG_OFFSET 0u
#define PSOG_TUNE_TARGET_TARGET_V_DEG_OFFSET 4u
#define PSOG_TUNE_TARGET_SAMPLES_OFFSET 8u

/* fit the head; it becomes the trial head. TUNE_RESULT follows */
#define PSOG_MSG_TUNE_SOLVE 0x22u
#define PSOG_MSG_TUNE_SOLVE_SIZE 0u

/* store the trial head and use it from now on, if it is better (NOT_BETTER) */
#define PSOG_MSG_TUNE_ACCEPT 0x23u
#define PSOG_MSG_TUNE_ACCEPT_SIZE 0u

/* forget the calibration in progress and the trial head */
#define PSOG_MSG_TUNE_DISCARD 0x24u
#define PSOG_MSG_TUNE_DISCARD_SIZE 0u

/* erase the stored calibration and standardisation */
#define PSOG_MSG_CALIBRATION_ERASE 0x25u
#define PSOG_MSG_CALIBRATION_ERASE_SIZE 0u

/* have the headset's display show a calibration target */
#define PSOG_MSG_TARGET_SHOW 0x26u
#define PSOG_MSG_TARGET_SHOW_SIZE 9u
#define PSOG_TARGET_SHOW_TARGET_H_DEG_OFFSET 0u
#define PSOG_TARGET_SHOW_TARGET_V_DEG_OFFSET 4u
#define PSOG_TARGET_SHOW_VISIBLE_OFFSET 8u

/* tell a piece of the calibration in use; CALIBRATION_PIECE follows */
#define PSOG_MSG_CALIBRATION_READ 0x27u
#define PSOG_MSG_CALIBRATION_READ_SIZE 2u
#define PSOG_CALIBRATION_READ_OFFSET_OFFSET 0u

/* a piece of a calibration record, at most 192 bytes; the last has it checked, stored and used */
#define PSOG_MSG_CALIBRATION_WRITE 0x28u
#define PSOG_MSG_CALIBRATION_WRITE_SIZE 9u /* then count × u8 */
#define PSOG_CALIBRATION_WRITE_OFFSET_OFFSET 0u
#define PSOG_CALIBRATION_WRITE_TOTAL_OFFSET 2u
#define PSOG_CALIBRATION_WRITE_CRC32_OFFSET 4u
#define PSOG_CALIBRATION_WRITE_COUNT_OFFSET 8u

/* forget the target at this place, also while it is taken, so that it can be taken again */
#define PSOG_MSG_TUNE_FORGET 0x29u
#define PSOG_MSG_TUNE_FORGET_SIZE 8u
#define PSOG_TUNE_FORGET_TARGET_H_DEG_OFFSET 0u
#define PSOG_TUNE_FORGET_TARGET_V_DEG_OFFSET 4u

/* measure how bright the sensors are while the wearer looks around; forgets a calibration in progress */
#define PSOG_MSG_STANDARDISE_BEGIN 0x2au
#define PSOG_MSG_STANDARDISE_BEGIN_SIZE 2u
#define PSOG_STANDARDISE_BEGIN_SAMPLES_OFFSET 0u

/* how far is it, and what are the means? STANDARDISE_MEANS follows */
#define PSOG_MSG_STANDARDISE_READ 0x2bu
#define PSOG_MSG_STANDARDISE_READ_SIZE 0u

/* see each sensor as if this were its mean; stored, in the place of a calibration */
#define PSOG_MSG_STANDARDISE_APPLY 0x2cu
#define PSOG_MSG_STANDARDISE_APPLY_SIZE 1u /* then count × u16 */
#define PSOG_STANDARDISE_APPLY_COUNT_OFFSET 0u

/* restart the firmware */
#define PSOG_MSG_RESTART 0x30u
#define PSOG_MSG_RESTART_SIZE 0u

/* counters; STATUS follows */
#define PSOG_MSG_STATUS_REQUEST 0x31u
#define PSOG_MSG_STATUS_REQUEST_SIZE 0u

/* what does the device's clock show? TIME follows */
#define PSOG_MSG_TIME_REQUEST 0x32u
#define PSOG_MSG_TIME_REQUEST_SIZE 0u

/* drive the emitters so until the next start */
#define PSOG_MSG_LED_SET 0x33u
#define PSOG_MSG_LED_SET_SIZE 3u
#define PSOG_LED_SET_DUTY_PERCENT_OFFSET 0u
#define PSOG_LED_SET_CURRENT_MA_OFFSET 1u

/* ---- Sensor bus ---- */

/* one reading of all sensors, left-aligned to 16 bits */
#define PSOG_MSG_READING 0x40u
#define PSOG_MSG_READING_SIZE 9u /* then count × u16 */
#define PSOG_READING_T_US_OFFSET 0u
#define PSOG_READING_COUNT_OFFSET 8u

/* what the display shows, for whoever plays the wearer */
#define PSOG_MSG_DISPLAY 0x41u
#define PSOG_MSG_DISPLAY_SIZE 9u
#define PSOG_DISPLAY_TARGET_H_DEG_OFFSET 0u
#define PSOG_DISPLAY_TARGET_V_DEG_OFFSET 4u
#define PSOG_DISPLAY_VISIBLE_OFFSET 8u

/* ---- Device to host ---- */

/* a command was carried out, or why not */
#define PSOG_MSG_ACK 0x80u
#define PSOG_MSG_ACK_SIZE 5u
#define PSOG_ACK_REPLY_TO_OFFSET 0u
#define PSOG_ACK_COMMAND_OFFSET 2u
#define PSOG_ACK_ERROR_OFFSET 3u

/* who I am */
#define PSOG_MSG_HELLO 0x81u
#define PSOG_MSG_HELLO_SIZE 59u
#define PSOG_HELLO_REPLY_TO_OFFSET 0u
#define PSOG_HELLO_PROTOCOL_OFFSET 2u
#define PSOG_HELLO_FIRMWARE_OFFSET 4u
#define PSOG_HELLO_BOARD_OFFSET 6u
#define PSOG_HELLO_HEADSET_OFFSET 22u
#define PSOG_HELLO_SENSORS_OFFSET 38u
#define PSOG_HELLO_FEATURES_OFFSET 40u
#define PSOG_HELLO_MODEL_CRC32_OFFSET 42u
#define PSOG_HELLO_CALIBRATED_OFFSET 46u
#define PSOG_HELLO_PAIRED_OFFSET 47u
#define PSOG_HELLO_IMAGE_ROOM_OFFSET 48u
#define PSOG_HELLO_MODEL_VERSION_OFFSET 52u
#define PSOG_HELLO_TRIAL_OFFSET 56u
#define PSOG_HELLO_DEVELOPMENT_OFFSET 57u
#define PSOG_HELLO_STANDARDISED_OFFSET 58u

/* counters since start-up */
#define PSOG_MSG_STATUS 0x82u
#define PSOG_MSG_STATUS_SIZE 19u
#define PSOG_STATUS_REPLY_TO_OFFSET 0u
#define PSOG_STATUS_READINGS_OFFSET 2u
#define PSOG_STATUS_BAD_READINGS_OFFSET 6u
#define PSOG_STATUS_BAD_FRAMES_OFFSET 10u
#define PSOG_STATUS_DROPPED_OFFSET 14u
#define PSOG_STATUS_HUNG_RESTARTS_OFFSET 18u

/* where an upload goes on; 0 for a new one */
#define PSOG_MSG_MODEL_OFFSET 0x83u
#define PSOG_MSG_MODEL_OFFSET_SIZE 6u
#define PSOG_MODEL_OFFSET_REPLY_TO_OFFSET 0u
#define PSOG_MODEL_OFFSET_OFFSET_OFFSET 2u

/* the device's clock */
#define PSOG_MSG_TIME 0x84u
#define PSOG_MSG_TIME_SIZE 10u
#define PSOG_TIME_REPLY_TO_OFFSET 0u
#define PSOG_TIME_T_US_OFFSET 2u

/* 192 bytes of the record of the calibration in use, or what is left of it */
#define PSOG_MSG_CALIBRATION_PIECE 0x85u
#define PSOG_MSG_CALIBRATION_PIECE_SIZE 11u /* then count × u8 */
#define PSOG_CALIBRATION_PIECE_REPLY_TO_OFFSET 0u
#define PSOG_CALIBRATION_PIECE_OFFSET_OFFSET 2u
#define PSOG_CALIBRATION_PIECE_TOTAL_OFFSET 4u
#define PSOG_CALIBRATION_PIECE_CRC32_OFFSET 6u
#define PSOG_CALIBRATION_PIECE_COUNT_OFFSET 10u

/* mean of each sensor so far; 0 of one that has not changed (means can identify people) */
#define PSOG_MSG_STANDARDISE_MEANS 0x86u
#define PSOG_MSG_STANDARDISE_MEANS_SIZE 9u /* then count × u16 */
#define PSOG_STANDARDISE_MEANS_REPLY_TO_OFFSET 0u
#define PSOG_STANDARDISE_MEANS_WANTED_OFFSET 2u
#define PSOG_STANDARDISE_MEANS_ADDED_OFFSET 4u
#define PSOG_STANDARDISE_MEANS_SATURATED_OFFSET 6u
#define PSOG_STANDARDISE_MEANS_COUNT_OFFSET 8u

/* gaze by the head in use */
#define PSOG_MSG_GAZE 0x90u
#define PSOG_MSG_GAZE_SIZE 25u
#define PSOG_GAZE_T_US_OFFSET 0u
#define PSOG_GAZE_GAZE_H_DEG_OFFSET 8u
#define PSOG_GAZE_GAZE_V_DEG_OFFSET 12u
#define PSOG_GAZE_OPENNESS_OFFSET 16u
#define PSOG_GAZE_EXPECTED_ERROR_DEG_OFFSET 20u
#define PSOG_GAZE_FLAGS_OFFSET 24u

/* gaze by the trial head, of the same reading */
#define PSOG_MSG_TRIAL 0x91u
#define PSOG_MSG_TRIAL_SIZE 25u
#define PSOG_TRIAL_T_US_OFFSET 0u
#define PSOG_TRIAL_GAZE_H_DEG_OFFSET 8u
#define PSOG_TRIAL_GAZE_V_DEG_OFFSET 12u
#define PSOG_TRIAL_OPENNESS_OFFSET 16u
#define PSOG_TRIAL_EXPECTED_ERROR_DEG_OFFSET 20u
#define PSOG_TRIAL_FLAGS_OFFSET 24u

/* the network's int8 features */
#define PSOG_MSG_FEATURES 0x92u
#define PSOG_MSG_FEATURES_SIZE 9u /* then count × i8 */
#define PSOG_FEATURES_T_US_OFFSET 0u
#define PSOG_FEATURES_COUNT_OFFSET 8u

/* the reading itself (it can identify people) */
#define PSOG_MSG_SENSORS 0x93u
#define PSOG_MSG_SENSORS_SIZE 9u /* then count × u16 */
#define PSOG_SENSORS_T_US_OFFSET 0u
#define PSOG_SENSORS_COUNT_OFFSET 8u

/* the target's readings are in */
#define PSOG_MSG_TUNE_PROGRESS 0xa0u
#define PSOG_MSG_TUNE_PROGRESS_SIZE 8u
#define PSOG_TUNE_PROGRESS_ADDED_OFFSET 0u
#define PSOG_TUNE_PROGRESS_REJECTED_OFFSET 2u
#define PSOG_TUNE_PROGRESS_SATURATED_OFFSET 4u
#define PSOG_TUNE_PROGRESS_MOVING_OFFSET 6u

/* the fit */
#define PSOG_MSG_TUNE_RESULT 0xa1u
#define PSOG_MSG_TUNE_RESULT_SIZE 34u
#define PSOG_TUNE_RESULT_REPLY_TO_OFFSET 0u
#define PSOG_TUNE_RESULT_SAMPLES_OFFSET 2u
#define PSOG_TUNE_RESULT_TARGETS_OFFSET 6u
#define PSOG_TUNE_RESULT_BEFORE_DEG_OFFSET 8u
#define PSOG_TUNE_RESULT_AFTER_DEG_OFFSET 12u
#define PSOG_TUNE_RESULT_LEFT_OUT_DEG_OFFSET 16u
#define PSOG_TUNE_RESULT_LEFT_OUT_WORST_DEG_OFFSET 20u
#define PSOG_TUNE_RESULT_IN_USE_DEG_OFFSET 24u
#define PSOG_TUNE_RESULT_UNEXPLAINED_OFFSET 28u
#define PSOG_TUNE_RESULT_VERDICT_OFFSET 32u

#endif
